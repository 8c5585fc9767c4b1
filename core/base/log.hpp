// SPDX-License-Identifier: Apache-2.0
//
// Owns the way a line of log leaves an object: through the sink its owner gave it. There is no
// process-wide logger; an object without a sink is silent.
#pragma once

#include <cstdint>
#include <string_view>

namespace martlet {

/// The levels of nats-server, with its letters in brackets: [FTL] [ERR] [WRN] [INF] [DBG] [TRC].
enum class LogLevel : uint8_t { fatal, error, warning, info, debug, trace };

/// Takes finished lines (no newline at the end). May be called from any thread; must not block for
/// long, and must not call back into the object that logs.
class LogSink {
 public:
  virtual ~LogSink() = default;
  virtual void write(LogLevel level, std::string_view line) = 0;
};

/// A borrowed sink with a level: what objects hold. Copyable; a default one is silent.
class Logger {
 public:
  Logger() = default;
  Logger(LogSink* sink, LogLevel level_max) : sink_(sink), level_max_(level_max) {}
  bool wants(LogLevel level) const { return sink_ != nullptr && level <= level_max_; }
  void write(LogLevel level, std::string_view line) const {
    if (wants(level)) sink_->write(level, line);
  }

 private:
  LogSink* sink_ = nullptr;
  LogLevel level_max_ = LogLevel::info;
};

}  // namespace martlet
