// SPDX-License-Identifier: Apache-2.0
//
// Owns where the log of the program goes: standard error, a file that rotates and reopens, or a
// syslog server. Each takes lines from any thread. A line that cannot be written is lost: a full
// disk must not stop a server.
#pragma once

#include <cstdio>
#include <memory>
#include <mutex>
#include <string>

#include "base/clock.hpp"
#include "base/log.hpp"
#include "base/result.hpp"
#include "io/syslog_client.hpp"
#include "server/nats_log.hpp"
#include "server/options.hpp"

namespace martlet::program {

/// A sink of the program; reopen() is what SIGUSR1 asks for.
class ProgramLog : public LogSink {
 public:
  /// Starts a new file at the same path, after somebody moved the old one. False: this log is no
  /// file.
  virtual bool reopen() = 0;
};

/// The log that the options ask for. `program` names it in a syslog. The clock outlives the log.
/// Fails with the path or the address that could not be opened.
Result<std::unique_ptr<ProgramLog>> open_log(const server::Options& options,
                                             const std::string& program, const Clock& clock);

/// Writes to standard error, with colours on a terminal.
class StderrLog final : public ProgramLog {
 public:
  StderrLog(server::LogLineStyle style, const Clock& clock) : style_(style), clock_(clock) {}
  void write(LogLevel level, std::string_view line) override;
  bool reopen() override { return false; }

 private:
  const server::LogLineStyle style_;
  const Clock& clock_;
  std::mutex mutex_;
};

/// Appends to a file. Beyond `bytes_max` (0: never) the file is put aside under a name with its
/// time and a new one begun; of all of them `files_max` are kept (0: all).
class FileLog final : public ProgramLog {
 public:
  struct Bounds {
    int64_t bytes_max = 0;
    int64_t files_max = 0;
  };
  static Result<std::unique_ptr<ProgramLog>> open(const std::string& path, Bounds bounds,
                                                  server::LogLineStyle style, const Clock& clock);
  void write(LogLevel level, std::string_view line) override;
  bool reopen() override;

 private:
  struct Closer {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  FileLog(std::string path, Bounds bounds, server::LogLineStyle style, const Clock& clock)
      : path_(std::move(path)), bounds_(bounds), style_(style), clock_(clock) {}
  Status open_locked();
  void write_locked(LogLevel level, std::string_view line);
  void rotate_locked();
  void purge_locked();

  const std::string path_;
  const Bounds bounds_;
  const server::LogLineStyle style_;
  const Clock& clock_;
  std::mutex mutex_;  // Held for one line; nothing else is locked within.
  std::unique_ptr<std::FILE, Closer> file_;
  int64_t bytes_ = 0;
};

/// Sends to a syslog server; the time and the process are the syslog's own fields.
class SyslogLog final : public ProgramLog {
 public:
  SyslogLog(io::SyslogClient client, const Clock& clock)
      : client_(std::move(client)), clock_(clock) {}
  void write(LogLevel level, std::string_view line) override;
  bool reopen() override { return false; }

 private:
  std::mutex mutex_;
  io::SyslogClient client_;
  const Clock& clock_;
};

}  // namespace martlet::program
