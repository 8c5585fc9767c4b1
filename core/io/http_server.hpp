// SPDX-License-Identifier: Apache-2.0
//
// Owns a small HTTP/1.1 server for pages that people and their tools look at: one listening socket,
// one loop, one thread, on which the pages are made too. GET and HEAD only. Bounded: the
// connections, the bytes of a request, the time a request and the taking of its answer may last; a
// newcomer who finds no room takes the place of whoever has been quiet longest.
#pragma once

#include <functional>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <thread>

#include "base/result.hpp"
#include "io/loop.hpp"
#include "io/socket.hpp"

namespace martlet::io {

struct HttpRequest {
  std::string path;   // Percent-decoded.
  std::string query;  // As it came, without the question mark.
};

struct HttpResponse {
  int status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string headers;  // More of them, each with its line end.
  std::string body;
};

struct HttpLimits {
  size_t request_bytes_max = 16 * 1024;
  size_t connections_max = 64;
  int64_t request_ns_max =
      5'000'000'000;  // From its first byte to its last; before the first one for a new connection.
  int64_t idle_ns_max = 30'000'000'000;      // Between two requests.
  int64_t response_ns_max = 60'000'000'000;  // Until the client has taken it.
};

/// Lifecycle: create (the port is taken), start, stop or destroy. create/start/stop by one thread,
/// none of the server's.
class HttpServer {
 public:
  /// Makes a page, on the server's thread; may take its time, others then wait.
  using Handler = std::function<HttpResponse(const HttpRequest&)>;

  /// Port 0 is any free port. Fails as listen_tcp does.
  static Result<std::unique_ptr<HttpServer>> create(const Clock& clock, std::string_view host,
                                                    uint16_t port, Handler handler,
                                                    const HttpLimits& limits = HttpLimits{});
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  /// Fails as start_thread does.
  Status start();
  /// Connections are closed, the port is free.
  void stop();
  uint16_t port() const { return port_; }

 private:
  class Connection;
  class Acceptor;
  HttpServer(Handler handler, const HttpLimits& limits);
  void accept_some();
  void remove(Connection& connection);

  Handler handler_;
  const HttpLimits limits_;
  std::unique_ptr<Loop> loop_;
  Fd listener_;
  uint16_t port_ = 0;
  std::unique_ptr<Acceptor> acceptor_;
  std::list<std::unique_ptr<Connection>>
      connections_;  // The one that has been quiet longest first.
  std::thread thread_;
};

/// Percent-decoded; what is no escape stays as it is. `plus_is_space` as in queries.
std::string decode_url(std::string_view text, bool plus_is_space);

}  // namespace martlet::io
