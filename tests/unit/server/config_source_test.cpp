// SPDX-License-Identifier: Apache-2.0
//
// Goal: a missing, unreadable or foreign file is a sentence that names it. Method: real files in a
// temporary folder.
#include "server/config_source.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace martlet::server {
namespace {

TEST(ConfigSource, reads_a_file) {
  const std::string path = testing::TempDir() + "config_source_test.conf";
  std::ofstream(path, std::ios::binary) << "port: 1\n" << std::string(40000, '#');
  const Result<std::string> text = SystemConfigSource().read_file(path);
  ASSERT_TRUE(text);
  EXPECT_EQ(text->size(), 40008U);
  std::filesystem::remove(path);
}

TEST(ConfigSource, names_what_it_cannot_read) {
  EXPECT_EQ(SystemConfigSource().read_file("/nope/x.conf").error().context,
            "open /nope/x.conf: no such file or directory");
  EXPECT_EQ(SystemConfigSource().read_file("/").error().context, "read /: is a directory");
}

TEST(ConfigSource, gives_up_on_a_device_without_end) {
  EXPECT_EQ(SystemConfigSource().read_file("/dev/zero").code(), ErrorCode::limit_reached);
}

TEST(ConfigSource, environment) {
  setenv("MARTLET_CONFIG_SOURCE_TEST", "7", 1);
  EXPECT_EQ(SystemConfigSource().environment("MARTLET_CONFIG_SOURCE_TEST"), "7");
  unsetenv("MARTLET_CONFIG_SOURCE_TEST");
  EXPECT_FALSE(SystemConfigSource().environment("MARTLET_CONFIG_SOURCE_TEST").has_value());
}

TEST(ConfigSource, a_closed_one_has_nothing) {
  EXPECT_FALSE(ClosedConfigSource().read_file("/etc/hostname"));
  EXPECT_FALSE(ClosedConfigSource().environment("PATH").has_value());
}

}  // namespace
}  // namespace martlet::server
