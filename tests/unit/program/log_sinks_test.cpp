// SPDX-License-Identifier: Apache-2.0
//
// Goal: a log file grows, rotates, is purged and reopened, and never stops a server. Method: files
// in a temporary folder and a clock that is set by hand.
#include "program/log_sinks.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

namespace martlet::program {
namespace {

class HandClock final : public Clock {
 public:
  mutable int64_t now_ns = 1'795'504'737'000'000'000;
  int64_t monotonic_ns() const override { return now_ns; }
  // Every look takes a microsecond, so that no two archives have one name.
  int64_t wall_ns() const override { return now_ns += 1000; }
};

class LogSinks : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = testing::TempDir() + "log_sinks_test_" +
              testing::UnitTest::GetInstance()->current_test_info()->name();
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directory(folder_);
    path_ = folder_ + "/m.log";
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::unique_ptr<ProgramLog> open(FileLog::Bounds bounds) {
    Result<std::unique_ptr<ProgramLog>> log =
        FileLog::open(path_, bounds, {1, false, false, false}, clock_);
    EXPECT_TRUE(log);
    return std::move(*log);
  }
  static std::string text_of(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  }
  size_t file_count() const {
    return static_cast<size_t>(std::distance(std::filesystem::directory_iterator(folder_), {}));
  }

  std::string folder_;
  std::string path_;
  HandClock clock_;
};

TEST_F(LogSinks, a_file_is_appended_to) {
  open({})->write(LogLevel::info, "one");
  open({})->write(LogLevel::error, "two");
  EXPECT_EQ(text_of(path_), "[1] [INF] one\n[1] [ERR] two\n");
}

TEST_F(LogSinks, rotates_beyond_its_size_and_keeps_so_many) {
  const std::unique_ptr<ProgramLog> log = open({100, 3});
  const std::string line(60, 'x');
  for (int i = 0; i < 40; ++i) log->write(LogLevel::info, line);
  EXPECT_EQ(file_count(), 3U);
  EXPECT_NE(text_of(path_).find("Rotated log, backup saved as \"" + path_ + ".2026.11.2"),
            std::string::npos);
}

TEST_F(LogSinks, without_a_bound_all_archives_stay) {
  const std::unique_ptr<ProgramLog> log = open({50, 0});
  for (int i = 0; i < 5; ++i) log->write(LogLevel::info, std::string(60, 'x'));
  EXPECT_EQ(file_count(), 6U);
}

TEST_F(LogSinks, reopens_after_somebody_moved_the_file) {
  const std::unique_ptr<ProgramLog> log = open({});
  log->write(LogLevel::info, "before");
  std::filesystem::rename(path_, path_ + ".moved");
  EXPECT_TRUE(log->reopen());
  log->write(LogLevel::info, "after");
  EXPECT_EQ(text_of(path_ + ".moved"), "[1] [INF] before\n");
  EXPECT_EQ(text_of(path_), "[1] [INF] File log re-opened\n[1] [INF] after\n");
}

TEST_F(LogSinks, a_folder_that_vanishes_does_not_stop_it) {
  const std::unique_ptr<ProgramLog> log = open({10, 0});
  std::filesystem::remove_all(folder_);
  log->write(LogLevel::info, "a line that is long enough to rotate");
  log->write(LogLevel::info, "another one of that length, at least");
  EXPECT_TRUE(log->reopen());
  EXPECT_FALSE(std::filesystem::exists(path_));
}

TEST_F(LogSinks, a_path_that_cannot_be_opened_is_named) {
  const Result<std::unique_ptr<ProgramLog>> log = FileLog::open("/nope/m.log", {}, {}, clock_);
  EXPECT_EQ(log.error().context, "error opening file: open /nope/m.log: no such file or directory");
}

TEST_F(LogSinks, the_options_choose) {
  server::Options options;
  EXPECT_FALSE((*open_log(options, "martlet", clock_))->reopen());
  options.log_file = path_;
  EXPECT_TRUE((*open_log(options, "martlet", clock_))->reopen());
  options = {};
  options.remote_syslog = "http://nope";
  EXPECT_FALSE(open_log(options, "martlet", clock_));
}

}  // namespace
}  // namespace martlet::program
