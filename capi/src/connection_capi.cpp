// SPDX-License-Identifier: Apache-2.0
//
// Owns connections at the border: arguments in, statuses out. The work is client/connection.hpp.
#include <memory>
#include <utility>

#include "boundary.hpp"
#include "client/connection_options.hpp"
#include "connection_handle.hpp"
#include "queue_handle.hpp"
#include "server_handle.hpp"
#include "statistics_json.hpp"
#include "system_clock.hpp"

using martlet::Result;
using martlet::Status;
using martlet::capi::Answer;
using martlet::capi::read_queue;
using martlet::capi::SharedQueue;
using martlet::client::Connection;
using martlet::client::ConnectionOptions;
using martlet::client::PublishView;

namespace {

/// What new and new_in_process share: reads the options, makes the connection by `create`.
template <typename Create>
Answer make_connection(const char* options, int64_t options_bytes, martlet_queue* events,
                       martlet_connection** out_connection, Create&& create) {
  if (out_connection == nullptr) return martlet::capi::missing("out_connection");
  Answer bad(MARTLET_OK);
  std::string_view text;
  SharedQueue queue;
  if (!martlet::capi::read_bytes(options, options_bytes, "options", text, bad)) return bad;
  if (!read_queue(events, false, queue, bad)) return bad;
  Result<ConnectionOptions> parsed = martlet::client::parse_connection_options(text);
  if (!parsed) return parsed.error();
  Result<std::unique_ptr<Connection>> made = create(*parsed, std::move(queue));
  if (!made) return made.error();
  const bool is_lent = parsed->run == martlet::client::RunMode::lent_loop;
  *out_connection = new martlet_connection(std::move(*made), is_lent);
  return MARTLET_OK;
}

struct TextArgument {
  const void* data;
  int64_t bytes;
  const char* name;
};

bool read_message(TextArgument subject, TextArgument reply, TextArgument headers, TextArgument data,
                  PublishView& out, Answer& bad) {
  return martlet::capi::read_bytes(subject.data, subject.bytes, subject.name, out.subject, bad) &&
         martlet::capi::read_bytes(reply.data, reply.bytes, reply.name, out.reply, bad) &&
         martlet::capi::read_bytes(headers.data, headers.bytes, headers.name, out.headers, bad) &&
         martlet::capi::read_bytes(data.data, data.bytes, data.name, out.data, bad);
}

Answer check_timeout(int32_t timeout_ms) {
  if (timeout_ms < -1) return Answer(MARTLET_ERR_INVALID_ARGUMENT, "timeout_ms is below -1");
  return MARTLET_OK;
}

Answer not_lent() {
  return Answer(MARTLET_ERR_STATE, "only for a connection with the option \"run\": \"lent\"");
}

/// Whether the connection was not started yet; else with the answer to give.
bool is_fresh(const martlet_connection& self, Answer& answer) {
  const martlet::client::ConnectionState state = self.connection->state();
  if (state == martlet::client::ConnectionState::fresh) return true;
  answer = state == martlet::client::ConnectionState::closed
               ? Answer(MARTLET_ERR_CLOSED, "the connection is closed")
               : Answer(MARTLET_ERR_STATE, "connect or start was called before");
  return false;
}

}  // namespace

extern "C" {

martlet_status martlet_connection_new(const char* options, int64_t options_bytes,
                                      martlet_queue* events, int64_t cookie,
                                      martlet_connection** out_connection,
                                      martlet_error** out_error) {
  return martlet::capi::guarded(out_error, [&]() -> Answer {
    return make_connection(options, options_bytes, events, out_connection,
                           [&](const ConnectionOptions& parsed, SharedQueue queue) {
                             return Connection::create(parsed, std::move(queue), cookie,
                                                       martlet::capi::system_clock);
                           });
  });
}

martlet_status martlet_connection_new_in_process(martlet_server* server, const char* options,
                                                 int64_t options_bytes, martlet_queue* events,
                                                 int64_t cookie,
                                                 martlet_connection** out_connection,
                                                 martlet_error** out_error) {
  return martlet::capi::guarded_on(server, out_error, [&]() -> Answer {
    return make_connection(options, options_bytes, events, out_connection,
                           [&](const ConnectionOptions& parsed, SharedQueue queue) {
                             return Connection::create_in_process(server->server->connector(),
                                                                  parsed, std::move(queue), cookie,
                                                                  martlet::capi::system_clock);
                           });
  });
}

martlet_status martlet_connection_connect(martlet_connection* self, int32_t timeout_ms,
                                          martlet_error** out_error) {
  return martlet::capi::guarded_blocking(self, out_error, [&]() -> Answer {
    Answer bad = check_timeout(timeout_ms);
    if (bad.status() < 0 || !is_fresh(*self, bad)) return bad;
    return self->connection->connect(martlet::capi::timeout_ns_of(timeout_ms));
  });
}

martlet_status martlet_connection_start(martlet_connection* self, martlet_error** out_error) {
  return martlet::capi::guarded_on(self, out_error, [&]() -> Answer {
    Answer bad(MARTLET_OK);
    if (!is_fresh(*self, bad)) return bad;
    return self->connection->start();
  });
}

martlet_status martlet_connection_state(const martlet_connection* self, int32_t* out_state,
                                        martlet_error** out_error) {
  return martlet::capi::guarded_on(self, out_error, [&]() -> Answer {
    if (out_state == nullptr) return martlet::capi::missing("out_state");
    *out_state = static_cast<int32_t>(self->connection->state());
    return MARTLET_OK;
  });
}

martlet_status martlet_connection_publish(martlet_connection* self, const char* subject,
                                          int64_t subject_bytes, const char* reply,
                                          int64_t reply_bytes, const void* headers,
                                          int64_t headers_bytes, const void* data,
                                          int64_t data_bytes, martlet_error** out_error) {
  return martlet::capi::guarded_quick_on(self, out_error, [&]() -> Answer {
    PublishView message;
    Answer bad(MARTLET_OK);
    if (!read_message({subject, subject_bytes, "subject"}, {reply, reply_bytes, "reply"},
                      {headers, headers_bytes, "headers"}, {data, data_bytes, "data"}, message,
                      bad)) {
      return bad;
    }
    return self->connection->publish(message);
  });
}

martlet_status martlet_connection_wait_capacity(martlet_connection* self, int64_t message_bytes,
                                                int32_t timeout_ms, martlet_error** out_error) {
  return martlet::capi::guarded_blocking(self, out_error, [&]() -> Answer {
    if (Answer bad = check_timeout(timeout_ms); bad.status() < 0) return bad;
    if (message_bytes < 0) return Answer(MARTLET_ERR_INVALID_ARGUMENT, "message_bytes is below 0");
    return self->connection->wait_capacity(message_bytes, martlet::capi::timeout_ns_of(timeout_ms));
  });
}

martlet_status martlet_connection_notify_capacity(martlet_connection* self, int64_t message_bytes,
                                                  martlet_queue* queue, int64_t cookie,
                                                  martlet_error** out_error) {
  return martlet::capi::guarded_on(self, out_error, [&]() -> Answer {
    Answer bad(MARTLET_OK);
    SharedQueue shared;
    if (message_bytes < 0) return Answer(MARTLET_ERR_INVALID_ARGUMENT, "message_bytes is below 0");
    if (!read_queue(queue, true, shared, bad)) return bad;
    return self->connection->notify_capacity(message_bytes, shared, cookie);
  });
}

martlet_status martlet_connection_flush(martlet_connection* self, int32_t timeout_ms,
                                        martlet_error** out_error) {
  return martlet::capi::guarded_blocking(self, out_error, [&]() -> Answer {
    if (Answer bad = check_timeout(timeout_ms); bad.status() < 0) return bad;
    return self->connection->flush(martlet::capi::timeout_ns_of(timeout_ms));
  });
}

martlet_status martlet_connection_flush_start(martlet_connection* self, int32_t timeout_ms,
                                              martlet_queue* queue, int64_t cookie,
                                              martlet_error** out_error) {
  return martlet::capi::guarded_on(self, out_error, [&]() -> Answer {
    Answer bad = check_timeout(timeout_ms);
    SharedQueue shared;
    if (bad.status() < 0 || !read_queue(queue, true, shared, bad)) return bad;
    return self->connection->flush_start(martlet::capi::timeout_ns_of(timeout_ms), shared, cookie);
  });
}

martlet_status martlet_connection_request(martlet_connection* self, const char* subject,
                                          int64_t subject_bytes, const void* headers,
                                          int64_t headers_bytes, const void* data,
                                          int64_t data_bytes, int32_t timeout_ms,
                                          martlet_batch** out_batch, martlet_error** out_error) {
  return martlet::capi::guarded_blocking(self, out_error, [&]() -> Answer {
    if (out_batch == nullptr) return martlet::capi::missing("out_batch");
    PublishView message;
    Answer bad = check_timeout(timeout_ms);
    if (bad.status() < 0 ||
        !read_message({subject, subject_bytes, "subject"}, {nullptr, 0, "reply"},
                      {headers, headers_bytes, "headers"}, {data, data_bytes, "data"}, message,
                      bad)) {
      return bad;
    }
    auto handle = std::make_unique<martlet_batch>(martlet::client::Batch());
    Result<martlet::client::Batch> reply =
        self->connection->request(message, martlet::capi::timeout_ns_of(timeout_ms));
    if (!reply) return reply.error();
    handle->batch = std::move(*reply);
    *out_batch = handle.release();
    return MARTLET_OK;
  });
}

martlet_status martlet_connection_request_start(martlet_connection* self, const char* subject,
                                                int64_t subject_bytes, const void* headers,
                                                int64_t headers_bytes, const void* data,
                                                int64_t data_bytes, int32_t timeout_ms,
                                                martlet_queue* queue, int64_t cookie,
                                                martlet_error** out_error) {
  return martlet::capi::guarded_on(self, out_error, [&]() -> Answer {
    PublishView message;
    SharedQueue shared;
    Answer bad = check_timeout(timeout_ms);
    if (bad.status() < 0 || !read_queue(queue, true, shared, bad) ||
        !read_message({subject, subject_bytes, "subject"}, {nullptr, 0, "reply"},
                      {headers, headers_bytes, "headers"}, {data, data_bytes, "data"}, message,
                      bad)) {
      return bad;
    }
    return self->connection->request_start(message, martlet::capi::timeout_ns_of(timeout_ms),
                                           shared, cookie);
  });
}

martlet_status martlet_connection_request_many_start(martlet_connection* self, const char* subject,
                                                     int64_t subject_bytes, const void* headers,
                                                     int64_t headers_bytes, const void* data,
                                                     int64_t data_bytes, int64_t replies_max,
                                                     int32_t timeout_ms, martlet_queue* queue,
                                                     int64_t cookie, martlet_error** out_error) {
  return martlet::capi::guarded_on(self, out_error, [&]() -> Answer {
    PublishView message;
    SharedQueue shared;
    Answer bad = check_timeout(timeout_ms);
    if (replies_max < 0) return Answer(MARTLET_ERR_INVALID_ARGUMENT, "replies_max is below 0");
    if (bad.status() < 0 || !read_queue(queue, true, shared, bad) ||
        !read_message({subject, subject_bytes, "subject"}, {nullptr, 0, "reply"},
                      {headers, headers_bytes, "headers"}, {data, data_bytes, "data"}, message,
                      bad)) {
      return bad;
    }
    return self->connection->request_many_start(
        message, replies_max, martlet::capi::timeout_ns_of(timeout_ms), shared, cookie);
  });
}

martlet_status martlet_connection_new_inbox(martlet_connection* self, martlet_text** out_subject,
                                            martlet_error** out_error) {
  return martlet::capi::guarded_on(self, out_error, [&]() -> Answer {
    if (out_subject == nullptr) return martlet::capi::missing("out_subject");
    *out_subject = martlet::capi::make_text(self->connection->new_inbox());
    return MARTLET_OK;
  });
}

martlet_status martlet_connection_drain(martlet_connection* self, int32_t timeout_ms,
                                        martlet_error** out_error) {
  return martlet::capi::guarded_blocking(self, out_error, [&]() -> Answer {
    if (Answer bad = check_timeout(timeout_ms); bad.status() < 0) return bad;
    return self->connection->drain(martlet::capi::timeout_ns_of(timeout_ms));
  });
}

martlet_status martlet_connection_drain_start(martlet_connection* self, int32_t timeout_ms,
                                              martlet_error** out_error) {
  return martlet::capi::guarded_on(self, out_error, [&]() -> Answer {
    if (Answer bad = check_timeout(timeout_ms); bad.status() < 0) return bad;
    return self->connection->drain_start(martlet::capi::timeout_ns_of(timeout_ms));
  });
}

martlet_status martlet_connection_close(martlet_connection* self, martlet_error** out_error) {
  return martlet::capi::guarded_on(self, out_error,
                                   [&]() -> Answer { return self->connection->close(); });
}

void martlet_connection_free(martlet_connection* self) {
  if (martlet::capi::CallbackScope::is_inside()) martlet_connection_close(self, nullptr);
  martlet::capi::free_handle(self);
}

martlet_status martlet_connection_max_payload(const martlet_connection* self, int64_t* out_bytes,
                                              martlet_error** out_error) {
  return martlet::capi::guarded_on(self, out_error, [&]() -> Answer {
    if (out_bytes == nullptr) return martlet::capi::missing("out_bytes");
    *out_bytes = self->connection->server().max_payload_bytes;
    return MARTLET_OK;
  });
}

martlet_status martlet_connection_rtt(martlet_connection* self, int32_t timeout_ms,
                                      int64_t* out_rtt_ns, martlet_error** out_error) {
  return martlet::capi::guarded_blocking(self, out_error, [&]() -> Answer {
    if (out_rtt_ns == nullptr) return martlet::capi::missing("out_rtt_ns");
    if (Answer bad = check_timeout(timeout_ms); bad.status() < 0) return bad;
    Result<int64_t> rtt_ns = self->connection->rtt_ns(martlet::capi::timeout_ns_of(timeout_ms));
    if (!rtt_ns) return rtt_ns.error();
    *out_rtt_ns = *rtt_ns;
    return MARTLET_OK;
  });
}

martlet_status martlet_connection_statistics(const martlet_connection* self,
                                             martlet_text** out_json, martlet_error** out_error) {
  return martlet::capi::guarded_on(self, out_error, [&]() -> Answer {
    if (out_json == nullptr) return martlet::capi::missing("out_json");
    *out_json = martlet::capi::make_text(
        martlet::capi::statistics_json(self->connection->statistics(), self->connection->server()));
    return MARTLET_OK;
  });
}

martlet_status martlet_connection_descriptor(martlet_connection* self, int32_t* out_fd,
                                             martlet_error** out_error) {
  return martlet::capi::guarded_on(self, out_error, [&]() -> Answer {
    if (out_fd == nullptr) return martlet::capi::missing("out_fd");
    if (!self->is_lent) return not_lent();
    Result<int> fd = self->connection->descriptor();
    if (!fd) return fd.error();
    *out_fd = *fd;
    return MARTLET_OK;
  });
}

martlet_status martlet_connection_process(martlet_connection* self, martlet_error** out_error) {
  return martlet::capi::guarded_blocking(self, out_error, [&]() -> Answer {
    if (!self->is_lent) return not_lent();
    Status status = self->connection->process();
    if (status.code() == martlet::ErrorCode::closed) return MARTLET_DONE;
    return status;
  });
}

martlet_status martlet_connection_next_timeout(martlet_connection* self, int32_t* out_timeout_ms,
                                               martlet_error** out_error) {
  return martlet::capi::guarded_on(self, out_error, [&]() -> Answer {
    if (out_timeout_ms == nullptr) return martlet::capi::missing("out_timeout_ms");
    if (!self->is_lent) return not_lent();
    const int64_t timeout_ns = self->connection->next_timeout_ns();
    const int64_t timeout_ms = timeout_ns < 0 ? -1 : (timeout_ns + 999999) / 1000000;
    *out_timeout_ms = static_cast<int32_t>(timeout_ms > INT32_MAX ? INT32_MAX : timeout_ms);
    return MARTLET_OK;
  });
}

}  // extern "C"
