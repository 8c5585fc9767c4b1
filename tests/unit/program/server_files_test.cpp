// SPDX-License-Identifier: Apache-2.0
//
// Goal: the files by which a server is found hold what nats-server's hold, and go with it. Method:
// a temporary folder.
#include "program/server_files.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

namespace martlet::program {
namespace {

std::string text_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

TEST(ServerFiles, pid_file) {
  const std::string path = testing::TempDir() + "server_files_test.pid";
  ASSERT_TRUE(write_pid_file(path, 4711));
  EXPECT_EQ(text_of(path), "4711");
  std::filesystem::remove(path);
  EXPECT_EQ(write_pid_file("/nope/pid", 1).error().context,
            "open /nope/pid: no such file or directory");
}

TEST(ServerFiles, ports_file_lives_as_long_as_its_object) {
  std::string path;
  {
    Result<PortsFile> file =
        PortsFile::create(testing::TempDir(), "martlet", 12, {{"nats://127.0.0.1:1"}, {}});
    ASSERT_TRUE(file);
    path = file->path();
    EXPECT_EQ(std::filesystem::path(path).filename(), "martlet_12.ports");
    EXPECT_EQ(text_of(path), R"({"nats":["nats://127.0.0.1:1"]})");
    EXPECT_FALSE(std::filesystem::exists(path + ".unfinished"));
  }
  EXPECT_FALSE(std::filesystem::exists(path));
  EXPECT_EQ(PortsFile::create("/nope", "martlet", 12, {}).error().context,
            "open /nope/martlet_12.ports.unfinished: no such file or directory");
}

TEST(ServerFiles, ports_as_json) {
  EXPECT_EQ(ports_json({{"nats://a:1", "nats://b:1"}, {"http://a:2"}}),
            R"({"nats":["nats://a:1","nats://b:1"],"monitoring":["http://a:2"]})");
  EXPECT_EQ(ports_json({{}, {"http://a:2"}}), R"({"monitoring":["http://a:2"]})");
  EXPECT_EQ(ports_json({}), "{}");
}

TEST(ServerFiles, hosts) {
  EXPECT_EQ(listened_hosts("127.0.0.1"), std::vector<std::string>{"127.0.0.1"});
  EXPECT_FALSE(listened_hosts("0.0.0.0").empty());
  EXPECT_FALSE(listened_hosts("::").empty());
}

}  // namespace
}  // namespace martlet::program
