// SPDX-License-Identifier: Apache-2.0
//
// Owns what stands behind martlet_server: the core's server, and the sink that turns its log lines
// into completions.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>

#include "base/log.hpp"
#include "client/completion_queue.hpp"
#include "handle.hpp"
#include "martlet/server.h"
#include "server/server.hpp"

namespace martlet::capi {

/// Puts each line into a queue, if there is one. Any thread.
class QueueLogSink final : public LogSink {
 public:
  void write(LogLevel level, std::string_view line) override;
  void set(std::shared_ptr<client::CompletionQueue> queue, int64_t cookie, int32_t level_max);

 private:
  std::mutex mutex_;
  std::shared_ptr<client::CompletionQueue>
      queue_;           // GUARDED_BY mutex_; shared: the program may free its handle first.
  int64_t cookie_ = 0;  // GUARDED_BY mutex_
  std::atomic<int32_t> level_max_{-1};  // Below fatal: silent.
};

}  // namespace martlet::capi

struct martlet_server : martlet::capi::HandleHead {
  static constexpr uint32_t kind_mark = martlet::capi::mark_server;
  static constexpr const char* kind_text = "not a live martlet_server";

  martlet_server() : HandleHead(kind_mark) {}

  martlet::capi::QueueLogSink sink;  // Before the server, which writes to it until it is gone.
  std::unique_ptr<martlet::server::Server> server;
};
