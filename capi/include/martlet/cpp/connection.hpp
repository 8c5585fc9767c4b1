// SPDX-License-Identifier: Apache-2.0
//
// Owns a client's connection as a C++ object. See martlet/connection.h for what each call promises.
#pragma once

#include "martlet/connection.h"
#include "martlet/cpp/error.hpp"
#include "martlet/cpp/queue.hpp"
#include "martlet/cpp/server.hpp"

namespace martlet::cpp {

/// What a publish or a request carries; everything is borrowed for the call.
struct Outgoing {
  std::string_view subject;
  std::string_view reply = {};
  std::string_view headers = {};  // A block as on the wire, or empty.
  std::string_view data = {};
};

class Connection {
 public:
  Connection(std::string_view options, martlet_queue* events, int64_t cookie) {
    ErrorOut error;
    martlet_connection* connection = nullptr;
    check(martlet_connection_new(options.data(), size_of(options), events, cookie, &connection,
                                 error),
          error);
    connection_ = Handle(connection);
  }
  Connection(martlet_server* server, std::string_view options, martlet_queue* events,
             int64_t cookie) {
    ErrorOut error;
    martlet_connection* connection = nullptr;
    check(martlet_connection_new_in_process(server, options.data(), size_of(options), events,
                                            cookie, &connection, error),
          error);
    connection_ = Handle(connection);
  }

  void connect(int32_t timeout_ms) {
    ErrorOut error;
    check(martlet_connection_connect(get(), timeout_ms, error), error);
  }
  void start() {
    ErrorOut error;
    check(martlet_connection_start(get(), error), error);
  }
  int32_t state() const {
    ErrorOut error;
    int32_t state = MARTLET_STATE_CLOSED;
    check(martlet_connection_state(get(), &state, error), error);
    return state;
  }
  /// OK or AGAIN.
  martlet_status publish(const Outgoing& message) {
    ErrorOut error;
    return check(martlet_connection_publish(get(), message.subject.data(), size_of(message.subject),
                                            message.reply.data(), size_of(message.reply),
                                            message.headers.data(), size_of(message.headers),
                                            message.data.data(), size_of(message.data), error),
                 error);
  }
  /// OK or AGAIN.
  martlet_status wait_capacity(int64_t message_bytes, int32_t timeout_ms) {
    ErrorOut error;
    return check(martlet_connection_wait_capacity(get(), message_bytes, timeout_ms, error), error);
  }
  void notify_capacity(int64_t message_bytes, martlet_queue* queue, int64_t cookie) {
    ErrorOut error;
    check(martlet_connection_notify_capacity(get(), message_bytes, queue, cookie, error), error);
  }
  void flush(int32_t timeout_ms) {
    ErrorOut error;
    check(martlet_connection_flush(get(), timeout_ms, error), error);
  }
  void flush_start(int32_t timeout_ms, martlet_queue* queue, int64_t cookie) {
    ErrorOut error;
    check(martlet_connection_flush_start(get(), timeout_ms, queue, cookie, error), error);
  }
  Batch request(const Outgoing& message, int32_t timeout_ms) {
    ErrorOut error;
    martlet_batch* batch = nullptr;
    check(martlet_connection_request(get(), message.subject.data(), size_of(message.subject),
                                     message.headers.data(), size_of(message.headers),
                                     message.data.data(), size_of(message.data), timeout_ms, &batch,
                                     error),
          error);
    return Batch(batch);
  }
  /// OK or AGAIN.
  martlet_status request_start(const Outgoing& message, int32_t timeout_ms, martlet_queue* queue,
                               int64_t cookie) {
    ErrorOut error;
    return check(martlet_connection_request_start(
                     get(), message.subject.data(), size_of(message.subject),
                     message.headers.data(), size_of(message.headers), message.data.data(),
                     size_of(message.data), timeout_ms, queue, cookie, error),
                 error);
  }
  /// OK or AGAIN.
  martlet_status request_many_start(const Outgoing& message, int64_t replies_max,
                                    int32_t timeout_ms, martlet_queue* queue, int64_t cookie) {
    ErrorOut error;
    return check(martlet_connection_request_many_start(
                     get(), message.subject.data(), size_of(message.subject),
                     message.headers.data(), size_of(message.headers), message.data.data(),
                     size_of(message.data), replies_max, timeout_ms, queue, cookie, error),
                 error);
  }
  std::string new_inbox() {
    ErrorOut error;
    martlet_text* text = nullptr;
    check(martlet_connection_new_inbox(get(), &text, error), error);
    return take_text(text);
  }
  void drain(int32_t timeout_ms) {
    ErrorOut error;
    check(martlet_connection_drain(get(), timeout_ms, error), error);
  }
  void drain_start(int32_t timeout_ms) {
    ErrorOut error;
    check(martlet_connection_drain_start(get(), timeout_ms, error), error);
  }
  void close() {
    ErrorOut error;
    check(martlet_connection_close(get(), error), error);
  }
  int64_t max_payload() const {
    ErrorOut error;
    int64_t bytes = 0;
    check(martlet_connection_max_payload(get(), &bytes, error), error);
    return bytes;
  }
  int64_t rtt_ns(int32_t timeout_ms) {
    ErrorOut error;
    int64_t rtt_ns = 0;
    check(martlet_connection_rtt(get(), timeout_ms, &rtt_ns, error), error);
    return rtt_ns;
  }
  std::string statistics() const {
    ErrorOut error;
    martlet_text* text = nullptr;
    check(martlet_connection_statistics(get(), &text, error), error);
    return take_text(text);
  }
  int descriptor() {
    ErrorOut error;
    int32_t fd = -1;
    check(martlet_connection_descriptor(get(), &fd, error), error);
    return fd;
  }
  /// OK or DONE.
  martlet_status process() {
    ErrorOut error;
    return check(martlet_connection_process(get(), error), error);
  }
  int32_t next_timeout_ms() {
    ErrorOut error;
    int32_t timeout_ms = -1;
    check(martlet_connection_next_timeout(get(), &timeout_ms, error), error);
    return timeout_ms;
  }
  void reset() { connection_.reset(); }
  martlet_connection* get() const { return connection_.get(); }

 private:
  using Handle = Owned<martlet_connection, martlet_connection_free>;
  Handle connection_;
};

}  // namespace martlet::cpp
