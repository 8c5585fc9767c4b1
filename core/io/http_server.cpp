// SPDX-License-Identifier: Apache-2.0
//
// Owns the reading of requests and the writing of answers.
#include "io/http_server.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/civil_time.hpp"
#include "base/out_of_memory.hpp"
#include "base/trimmed.hpp"
#include "io/io_slice.hpp"
#include "io/thread.hpp"

namespace martlet::io {
namespace {

constexpr int listen_backlog = 128;
constexpr int accepts_per_turn = 16;
constexpr int64_t accept_pause_ns = 50'000'000;

std::string_view status_text(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 400:
      return "Bad Request";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 503:
      return "Service Unavailable";
    default:
      return "Status";
  }
}

std::string http_date(int64_t wall_ns) {
  static constexpr const char* days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr const char* months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                           "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const CivilTime time = civil_time(wall_ns);
  return fmt::format("{}, {:02} {} {} {:02}:{:02}:{:02} GMT", days[time.weekday], time.day,
                     months[time.month - 1], time.year, time.hour, time.minute, time.second);
}

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool equals_ignoring_case(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) {
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
    return lower(x) == lower(y);
  });
}

/// What the head of a request says, as far as it matters here.
struct Head {
  int refusal = 0;  // A status, if the request is none that is answered.
  bool is_head = false;
  bool keeps_connection = true;
  HttpRequest request;
};

void read_header(std::string_view line, Head& head) {
  const size_t colon = line.find(':');
  if (colon == std::string_view::npos) {
    head.refusal = 400;
    return;
  }
  const std::string_view name = line.substr(0, colon);
  const std::string_view value = trimmed(line.substr(colon + 1));
  // A body is not read: what follows such a request on the connection cannot be trusted to be
  // another one.
  if (equals_ignoring_case(name, "content-length") && value != "0") head.keeps_connection = false;
  if (equals_ignoring_case(name, "transfer-encoding")) head.keeps_connection = false;
  if (equals_ignoring_case(name, "connection") && equals_ignoring_case(value, "close"))
    head.keeps_connection = false;
}

void read_target(std::string_view target, Head& head) {
  if (target.substr(0, 7) == "http://") {
    target.remove_prefix(7);
    const size_t slash = target.find('/');
    target = slash == std::string_view::npos ? "/" : target.substr(slash);
  }
  if (target.empty() || target[0] != '/') {
    head.refusal = 400;
    return;
  }
  const size_t mark = target.find('?');
  head.request.path = decode_url(target.substr(0, mark), false);
  if (mark != std::string_view::npos) head.request.query = target.substr(mark + 1);
}

/// `text` ends before the empty line.
Head read_head(std::string_view text) {
  Head head;
  const size_t line_end = std::min(text.find("\r\n"), text.size());
  const std::string_view line = text.substr(0, line_end);
  const size_t first = line.find(' ');
  const size_t last = line.rfind(' ');
  if (first == std::string_view::npos || first == last || line.substr(last + 1, 7) != "HTTP/1.") {
    head.refusal = 400;
    return head;
  }
  if (line.substr(last + 1) == "HTTP/1.0") head.keeps_connection = false;
  read_target(line.substr(first + 1, last - first - 1), head);
  const std::string_view method = line.substr(0, first);
  head.is_head = method == "HEAD";
  if (!head.is_head && method != "GET" && head.refusal == 0) head.refusal = 405;
  for (size_t at = line_end; at < text.size() && head.refusal == 0;) {
    at += 2;
    const size_t end = std::min(text.find("\r\n", at), text.size());
    read_header(text.substr(at, end - at), head);
    at = end;
  }
  return head;
}

HttpResponse refusal(int status) {
  HttpResponse response;
  response.status = status;
  if (status == 405) response.headers = "Allow: GET, HEAD\r\n";
  response.body = fmt::format("{} {}\n", status, status_text(status));
  return response;
}

}  // namespace

std::string decode_url(std::string_view text, bool plus_is_space) {
  std::string out;
  for (size_t i = 0; i < text.size(); i++) {
    if (text[i] == '%' && i + 2 < text.size() && hex_value(text[i + 1]) >= 0 &&
        hex_value(text[i + 2]) >= 0) {
      out += static_cast<char>(hex_value(text[i + 1]) * 16 + hex_value(text[i + 2]));
      i += 2;
    } else {
      out += plus_is_space && text[i] == '+' ? ' ' : text[i];
    }
  }
  return out;
}

/// One client. Reads until it has a whole head, answers, and reads on.
class HttpServer::Connection final : private FdHandler {
 public:
  Connection(HttpServer& server, Fd fd)
      : server_(server),
        fd_(std::move(fd)),
        watch_(*server.loop_, fd_.get(), *this),
        deadline_([](void* self) { (void)static_cast<Connection*>(self)->end(); }, this) {}
  ~Connection() {
    server_.loop_->stop_timer(deadline_);
    shut_down(fd_);
  }

  Status start() {
    wait_for(server_.limits_.request_ns_max);
    return watch_.set_interest(true, false);
  }
  std::list<std::unique_ptr<Connection>>::iterator place;

 private:
  static constexpr size_t read_bytes = 4096;

  void wait_for(int64_t duration_ns) { server_.loop_->start_timer(deadline_, duration_ns); }
  bool end() {
    server_.remove(*this);
    return false;
  }

  void on_fd_ready(bool readable, bool) override {
    server_.connections_.splice(server_.connections_.end(), server_.connections_, place);
    const bool fits = fits_into_memory([&] {
      if (readable && out_.empty() && !read_some()) return;
      (void)advance();
    });
    if (!fits) (void)end();
  }

  // The functions below answer false when this object is gone.

  bool read_some() {
    const size_t have = in_.size();
    in_.resize(have + read_bytes);
    const SocketResult result = read_socket(fd_.get(), in_.data() + have, read_bytes);
    in_.resize(have + result.bytes);
    if (result.would_block) return true;
    if (result.bytes == 0) return end();
    if (have == 0) wait_for(server_.limits_.request_ns_max);
    return true;
  }

  /// Writes answers and makes new ones as long as both are possible.
  bool advance() {
    for (;;) {
      if (!write_some()) return false;
      if (!out_.empty()) return set_interest(false, true);
      if (!make_answer()) return set_interest(true, false);
    }
  }

  bool write_some() {
    if (out_.empty()) return true;
    while (written_ < out_.size()) {
      const IoSlice slice{out_.data() + written_, out_.size() - written_};
      const SocketResult result = write_socket(fd_.get(), &slice, 1);
      if (result.would_block) return true;
      if (result.bytes == 0) return end();
      written_ += result.bytes;
    }
    if (closes_) return end();
    std::string().swap(out_);
    wait_for(in_.empty() ? server_.limits_.idle_ns_max : server_.limits_.request_ns_max);
    return true;
  }

  /// True when there was a whole request; its answer is in out_ then.
  bool make_answer() {
    const size_t head_end = in_.find("\r\n\r\n");
    const bool is_whole = head_end != std::string::npos;
    if ((is_whole ? head_end : in_.size()) > server_.limits_.request_bytes_max) {
      in_.clear();
      closes_ = true;
      put_answer(refusal(431), false);
      return true;
    }
    if (!is_whole) return false;
    const Head head = read_head(std::string_view(in_).substr(0, head_end));
    in_.erase(0, head_end + 4);
    closes_ = !head.keeps_connection || head.refusal != 0;
    put_answer(head.refusal != 0 ? refusal(head.refusal) : page(head.request), head.is_head);
    return true;
  }

  HttpResponse page(const HttpRequest& request) {
    HttpResponse response;
    const bool fits = fits_into_memory([&] { response = server_.handler_(request); });
    return fits ? std::move(response) : refusal(503);
  }

  void put_answer(const HttpResponse& response, bool without_body) {
    out_ = fmt::format(
        "HTTP/1.1 {} {}\r\n{}Content-Type: {}\r\nDate: {}\r\nContent-Length: {}\r\n{}\r\n",
        response.status, status_text(response.status), response.headers, response.content_type,
        http_date(server_.loop_->clock().wall_ns()), response.body.size(),
        closes_ ? "Connection: close\r\n" : "");
    if (!without_body) out_ += response.body;
    written_ = 0;
    wait_for(server_.limits_.response_ns_max);
  }

  bool set_interest(bool read, bool write) {
    Status status = watch_.set_interest(read, write);
    return status ? true : end();
  }

  HttpServer& server_;
  Fd fd_;
  FdWatch watch_;
  Timer deadline_;
  std::string in_;
  std::string out_;      // The answer under way; nothing is read meanwhile.
  size_t written_ = 0;   // Of it.
  bool closes_ = false;  // After this answer.
};

/// Waits for newcomers, and waits out a lack of descriptors.
class HttpServer::Acceptor final : private FdHandler {
 public:
  explicit Acceptor(HttpServer& server)
      : server_(server),
        watch_(*server.loop_, server.listener_.get(), *this),
        pause_([](void* self) { static_cast<Acceptor*>(self)->resume(); }, this) {}
  ~Acceptor() { server_.loop_->stop_timer(pause_); }
  Status start() { return watch_.set_interest(true, false); }
  void pause() {
    server_.loop_->start_timer(pause_, accept_pause_ns);
    (void)watch_.set_interest(false, false);
  }

 private:
  // Whoever was being accepted is refused.
  void on_fd_ready(bool, bool) override {
    if (!fits_into_memory([this] { server_.accept_some(); })) pause();
  }
  void resume() {
    bool is_on = false;
    if (!fits_into_memory([&] { is_on = watch_.set_interest(true, false).is_ok(); }) || !is_on)
      server_.loop_->start_timer(pause_, accept_pause_ns);
  }

  HttpServer& server_;
  FdWatch watch_;
  Timer pause_;
};

HttpServer::HttpServer(Handler handler, const HttpLimits& limits)
    : handler_(std::move(handler)), limits_(limits) {}

Result<std::unique_ptr<HttpServer>> HttpServer::create(const Clock& clock, std::string_view host,
                                                       uint16_t port, Handler handler,
                                                       const HttpLimits& limits) {
  std::unique_ptr<HttpServer> server(new HttpServer(std::move(handler), limits));
  Result<Fd> listener = listen_tcp(host, port, listen_backlog);
  if (!listener) return listener.take_error();
  Result<uint16_t> bound = local_port(listener->get());
  if (!bound) return bound.take_error();
  Result<std::unique_ptr<Loop>> loop = Loop::create(clock);
  if (!loop) return loop.take_error();
  server->listener_ = std::move(*listener);
  server->port_ = *bound;
  server->loop_ = std::move(*loop);
  server->acceptor_ = std::make_unique<Acceptor>(*server);
  Status status = server->acceptor_->start();
  if (!status) return status.take_error();
  return server;
}

HttpServer::~HttpServer() { stop(); }

Status HttpServer::start() {
  Result<std::thread> thread = start_thread("the monitor port", [this] { loop_->run(); });
  if (!thread) return thread.take_error();
  thread_ = std::move(*thread);
  return Status();
}

void HttpServer::stop() {
  if (loop_ != nullptr) loop_->stop();
  if (thread_.joinable()) thread_.join();
  connections_.clear();
  acceptor_.reset();
  shut_down(listener_);
  listener_.reset();
}

void HttpServer::accept_some() {
  for (int i = 0; i < accepts_per_turn; i++) {
    Accepted accepted = accept_tcp(listener_.get());
    if (!accepted.fd.is_open()) {
      if (!accepted.would_block && is_resource_error(accepted.error_number)) acceptor_->pause();
      return;
    }
    if (connections_.size() >= limits_.connections_max) connections_.pop_front();
    connections_.push_back(std::make_unique<Connection>(*this, std::move(accepted.fd)));
    Connection& connection = *connections_.back();
    connection.place = std::prev(connections_.end());
    if (!connection.start()) remove(connection);
  }
}

void HttpServer::remove(Connection& connection) { connections_.erase(connection.place); }

}  // namespace martlet::io
