// SPDX-License-Identifier: Apache-2.0
//
// Owns a broker in this process as a C++ object. See martlet/server.h for what each call promises.
#pragma once

#include "martlet/cpp/error.hpp"
#include "martlet/cpp/queue.hpp"
#include "martlet/server.h"

namespace martlet::cpp {

class Server {
 public:
  explicit Server(std::string_view options = {}) {
    ErrorOut error;
    martlet_server* server = nullptr;
    check(martlet_server_new(options.data(), size_of(options), &server, error), error);
    server_ = Owned<martlet_server, martlet_server_free>(server);
  }

  void set_log(martlet_queue* queue, int64_t cookie, int32_t level_max) {
    ErrorOut error;
    check(martlet_server_set_log(get(), queue, cookie, level_max, error), error);
  }
  void start() {
    ErrorOut error;
    check(martlet_server_start(get(), error), error);
  }
  void stop() {
    ErrorOut error;
    check(martlet_server_stop(get(), error), error);
  }
  int32_t client_port() const {
    ErrorOut error;
    int32_t port = 0;
    check(martlet_server_client_port(get(), &port, error), error);
    return port;
  }
  int32_t monitoring_port() const {
    ErrorOut error;
    int32_t port = 0;
    check(martlet_server_monitoring_port(get(), &port, error), error);
    return port;
  }
  std::string url() const {
    ErrorOut error;
    martlet_text* text = nullptr;
    check(martlet_server_url(get(), &text, error), error);
    return take_text(text);
  }
  std::string statistics() const {
    ErrorOut error;
    martlet_text* text = nullptr;
    check(martlet_server_statistics(get(), &text, error), error);
    return take_text(text);
  }
  void reset() { server_.reset(); }
  martlet_server* get() const { return server_.get(); }

 private:
  Owned<martlet_server, martlet_server_free> server_;
};

}  // namespace martlet::cpp
