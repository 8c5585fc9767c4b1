// SPDX-License-Identifier: Apache-2.0
//
// Owns brokers at the border: which of the two forms the options have, and the log sink. The work
// is server/server.hpp.
#include <utility>

#include "boundary.hpp"
#include "queue_handle.hpp"
#include "server/config_language.hpp"
#include "server/config_options.hpp"
#include "server/options_json.hpp"
#include "server_handle.hpp"

using martlet::Status;
using martlet::capi::Answer;

namespace martlet::capi {

void QueueLogSink::write(LogLevel level, std::string_view line) {
  if (static_cast<int32_t>(level) > level_max_.load(std::memory_order_relaxed)) return;
  std::shared_ptr<client::CompletionQueue> queue;
  client::Completion completion;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    queue = queue_;
    completion.cookie = cookie_;
  }
  if (queue == nullptr) return;
  completion.kind = client::CompletionKind::log_line;
  completion.flags = static_cast<int32_t>(level);
  completion.data = line;
  queue->add(completion);  // A full queue drops the line: the header says so.
}

void QueueLogSink::set(std::shared_ptr<client::CompletionQueue> queue, int64_t cookie,
                       int32_t level_max) {
  std::lock_guard<std::mutex> lock(mutex_);
  level_max_.store(queue != nullptr ? level_max : -1, std::memory_order_relaxed);
  queue_ = std::move(queue);
  cookie_ = cookie;
}

}  // namespace martlet::capi

namespace {

bool is_json(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t\r\n");
  return first == std::string_view::npos || text[first] == '{';
}

martlet::Result<martlet::server::Options> parse_options(std::string_view text) {
  if (is_json(text)) return martlet::server::parse_options_json(text);
  // A text of an embedding program reads no files and no environment.
  martlet::Result<martlet::server::ConfigTree> tree =
      martlet::server::parse_config_text(text, "options", martlet::server::ClosedConfigSource());
  if (!tree) return tree.take_error();
  martlet::Result<martlet::server::ConfiguredOptions> configured =
      martlet::server::options_from_config(*tree, martlet::server::embedded_defaults());
  if (!configured) return configured.take_error();
  return std::move(configured->options);
}

// The lines that the program writes at this point, for a host that listens to the log.
void announce(martlet_server& self) {
  const std::string id = self.server->id();
  if (!self.server->client_url().empty()) {
    self.sink.write(martlet::LogLevel::info, "Listening for client connections on " +
                                                 self.server->options().host + ":" +
                                                 std::to_string(self.server->client_port()));
  }
  self.sink.write(martlet::LogLevel::info, "Server is ready: " + id);
}

Answer not_running() { return Answer(MARTLET_ERR_STATE, "the server does not run"); }

}  // namespace

extern "C" {

martlet_status martlet_server_new(const char* options, int64_t options_bytes,
                                  martlet_server** out_server, martlet_error** out_error) {
  return martlet::capi::guarded(out_error, [&]() -> Answer {
    if (out_server == nullptr) return martlet::capi::missing("out_server");
    Answer bad(MARTLET_OK);
    std::string_view text;
    if (!martlet::capi::read_bytes(options, options_bytes, "options", text, bad)) return bad;
    martlet::Result<martlet::server::Options> parsed = parse_options(text);
    if (!parsed) return parsed.error();
    auto handle = std::make_unique<martlet_server>();
    martlet::Result<std::unique_ptr<martlet::server::Server>> made =
        martlet::server::Server::create(std::move(*parsed), &handle->sink);
    if (!made) return made.error();
    handle->server = std::move(*made);
    *out_server = handle.release();
    return MARTLET_OK;
  });
}

martlet_status martlet_server_set_log(martlet_server* self, martlet_queue* queue, int64_t cookie,
                                      int32_t level_max, martlet_error** out_error) {
  return martlet::capi::guarded_on(self, out_error, [&]() -> Answer {
    if (level_max < MARTLET_LOG_FATAL || level_max > MARTLET_LOG_TRACE) {
      return Answer(MARTLET_ERR_INVALID_ARGUMENT, "level_max is none of MARTLET_LOG_...");
    }
    martlet::capi::SharedQueue shared_queue;
    Answer bad(MARTLET_OK);
    if (!martlet::capi::read_queue(queue, false, shared_queue, bad)) return bad;
    if (self->server->is_running())
      return Answer(MARTLET_ERR_STATE, "the server runs: set the log before start");
    self->sink.set(std::move(shared_queue), cookie, level_max);
    return MARTLET_OK;
  });
}

martlet_status martlet_server_start(martlet_server* self, martlet_error** out_error) {
  return martlet::capi::guarded_blocking(self, out_error, [&]() -> Answer {
    if (self->server->is_running()) return Answer(MARTLET_ERR_STATE, "the server runs already");
    Status started = self->server->start();
    if (started) announce(*self);
    return started;
  });
}

martlet_status martlet_server_stop(martlet_server* self, martlet_error** out_error) {
  return martlet::capi::guarded_blocking(self, out_error, [&]() -> Answer {
    if (!self->server->is_running()) return MARTLET_OK;
    return self->server->stop();
  });
}

void martlet_server_free(martlet_server* self) { martlet::capi::free_handle(self); }

martlet_status martlet_server_client_port(const martlet_server* self, int32_t* out_port,
                                          martlet_error** out_error) {
  return martlet::capi::guarded_on(self, out_error, [&]() -> Answer {
    if (out_port == nullptr) return martlet::capi::missing("out_port");
    if (!self->server->is_running()) return not_running();
    *out_port = self->server->client_port();
    return MARTLET_OK;
  });
}

martlet_status martlet_server_monitoring_port(const martlet_server* self, int32_t* out_port,
                                              martlet_error** out_error) {
  return martlet::capi::guarded_on(self, out_error, [&]() -> Answer {
    if (out_port == nullptr) return martlet::capi::missing("out_port");
    if (!self->server->is_running()) return not_running();
    *out_port = self->server->monitoring_port();
    return MARTLET_OK;
  });
}

martlet_status martlet_server_url(const martlet_server* self, martlet_text** out_url,
                                  martlet_error** out_error) {
  return martlet::capi::guarded_on(self, out_error, [&]() -> Answer {
    if (out_url == nullptr) return martlet::capi::missing("out_url");
    if (!self->server->is_running()) return not_running();
    *out_url = martlet::capi::make_text(self->server->client_url());
    return MARTLET_OK;
  });
}

martlet_status martlet_server_statistics(const martlet_server* self, martlet_text** out_json,
                                         martlet_error** out_error) {
  return martlet::capi::guarded_on(self, out_error, [&]() -> Answer {
    if (out_json == nullptr) return martlet::capi::missing("out_json");
    if (!self->server->is_running()) return not_running();
    *out_json = martlet::capi::make_text(self->server->statistics_json());
    return MARTLET_OK;
  });
}

}  // extern "C"
