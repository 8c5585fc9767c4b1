// SPDX-License-Identifier: Apache-2.0
//
// Goal: lines look as nats-server's do, for collectors that parse them. Method: fixed moments.
#include "server/nats_log.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <ctime>

namespace martlet::server {
namespace {

constexpr int64_t moment_ns = 1'795'504'737'123'456'789;  // 2026-11-24T07:18:57.123456789Z.

// Local time is that of this zone while a test runs, whatever the machine's is.
class NatsLog : public testing::Test {
 protected:
  void SetUp() override {
    setenv("TZ", "MARTLET-02:00", 1);  // Two hours east of Greenwich.
    tzset();
  }
  void TearDown() override {
    unsetenv("TZ");
    tzset();
  }
};

TEST_F(NatsLog, lines) {
  EXPECT_EQ(format_log_line({12, true, false, false}, moment_ns, LogLevel::info, "Server is ready"),
            "[12] 2026/11/24 09:18:57.123456 [INF] Server is ready");
  EXPECT_EQ(format_log_line({12, true, true, false}, moment_ns, LogLevel::error, "x"),
            "[12] 2026/11/24 07:18:57.123456 [ERR] x");
  EXPECT_EQ(format_log_line({12, false, true, false}, moment_ns, LogLevel::trace, "x"),
            "[12] [TRC] x");
  EXPECT_EQ(format_log_line({12, false, true, true}, moment_ns, LogLevel::info, "x"),
            "[12] [\x1b[32mINF\x1b[0m] x");
}

TEST_F(NatsLog, every_level_has_its_letters) {
  const std::pair<LogLevel, const char*> levels[] = {
      {LogLevel::fatal, "[1] [FTL] "},   {LogLevel::error, "[1] [ERR] "},
      {LogLevel::warning, "[1] [WRN] "}, {LogLevel::info, "[1] [INF] "},
      {LogLevel::debug, "[1] [DBG] "},   {LogLevel::trace, "[1] [TRC] "}};
  for (const auto& [level, line] : levels)
    EXPECT_EQ(format_log_line({1, false, false, false}, 0, level, ""), line);
}

TEST_F(NatsLog, archived_names) {
  const std::string name = archived_log_name("n.log", moment_ns);
  EXPECT_EQ(name, "n.log.2026.11.24.09.18.57.123456789");
  EXPECT_TRUE(is_archived_log_name("n.log", name));
  EXPECT_FALSE(is_archived_log_name("n.log", "n.log"));
  EXPECT_FALSE(is_archived_log_name("n.log", "n.log.old"));
  EXPECT_FALSE(is_archived_log_name("n.log", "n.log.2026.11.24.09.18.57.12345678x"));
  EXPECT_FALSE(is_archived_log_name("n.log", "m.log.2026.11.24.09.18.57.123456789"));
}

}  // namespace
}  // namespace martlet::server
