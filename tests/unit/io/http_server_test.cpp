// SPDX-License-Identifier: Apache-2.0
//
// Goal: the HTTP server answers what is well formed, refuses the rest with the right status, and
// can be held up by nobody. Method: raw bytes over a blocking socket; short limits where one is to
// be reached.
#include "io/http_server.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "io/system_clock.hpp"
#include "tests/support/failing_memory.hpp"

namespace martlet::io {
namespace {

constexpr int64_t patience_ns = 60'000'000'000;

class Browser {
 public:
  explicit Browser(uint16_t port) {
    Result<std::vector<Address>> addresses = resolve("127.0.0.1", port);
    Result<Fd> fd = connect_tcp(addresses->front());
    fd_ = std::move(*fd);
    EXPECT_TRUE(wait_descriptor(fd_.get(), false, true, patience_ns));
    EXPECT_EQ(connect_error(fd_.get()), 0);
  }
  void send(std::string_view text) {
    while (!text.empty()) {
      const IoSlice slice{text.data(), text.size()};
      const SocketResult result = write_socket(fd_.get(), &slice, 1);
      if (result.bytes == 0 && !result.would_block) return;
      text.remove_prefix(result.bytes);
      if (!text.empty()) wait_descriptor(fd_.get(), false, true, patience_ns);
    }
  }
  /// Reads until `text` has been seen `count` times or the server hangs up; everything read so far.
  const std::string& read_until(std::string_view text, int count = 1) {
    while (occurrences(text) < count && read_more()) {
    }
    return seen_;
  }
  const std::string& read_all() {
    while (read_more()) {
    }
    return seen_;
  }

 private:
  int occurrences(std::string_view text) const {
    int count = 0;
    for (size_t at = seen_.find(text); at != std::string::npos;
         at = seen_.find(text, at + text.size()))
      count++;
    return count;
  }
  bool read_more() {
    if (!wait_descriptor(fd_.get(), true, false, patience_ns)) {
      ADD_FAILURE() << "nothing came";
      return false;
    }
    char buffer[4096];
    const SocketResult result = read_socket(fd_.get(), buffer, sizeof buffer);
    seen_.append(buffer, result.bytes);
    return result.bytes > 0;
  }
  Fd fd_;
  std::string seen_;
};

class HttpServerTest : public testing::Test {
 protected:
  void serve(const HttpLimits& limits = HttpLimits{}) {
    Result<std::unique_ptr<HttpServer>> server = HttpServer::create(
        clock_, "127.0.0.1", 0,
        [](const HttpRequest& request) {
          HttpResponse response;
          response.headers = "X-Test: yes\r\n";
          response.body = request.path == "/big"
                              ? std::string(3'000'000, 'b') + "!end!"
                              : "path=" + request.path + " query=" + request.query + ";";
          if (request.path == "/missing") response.status = 404;
          return response;
        },
        limits);
    ASSERT_TRUE(server) << server.error().context;
    server_ = std::move(*server);
    ASSERT_TRUE(server_->start());
  }
  SystemClock clock_;
  std::unique_ptr<HttpServer> server_;
};

TEST_F(HttpServerTest, answers_get_with_status_length_and_date) {
  serve();
  Browser browser(server_->port());
  browser.send("GET /%76arz?a=%20b HTTP/1.1\r\nHost: x\r\n\r\n");
  const std::string& text = browser.read_until("b;");
  EXPECT_EQ(
      text.find(
          "HTTP/1.1 200 OK\r\nX-Test: yes\r\nContent-Type: text/plain; charset=utf-8\r\nDate: "),
      0U);
  EXPECT_NE(text.find("\r\nContent-Length: 24\r\n\r\npath=/varz query=a=%20b;"), std::string::npos)
      << text;
  EXPECT_EQ(text.find("Connection: close"), std::string::npos);
}

TEST_F(HttpServerTest, keeps_the_connection_for_several_requests_also_pipelined_and_split) {
  serve();
  Browser browser(server_->port());
  browser.send("GET /1 HTTP/1.1\r\n\r\nGET /2 HTTP/1.1\r\n\r\nGET /");
  browser.read_until("path=/2");
  browser.send("3 HTTP/1.1\r\n");
  browser.send("\r\n");
  EXPECT_NE(browser.read_until("path=/3 query=;").find("path=/1 query=;"), std::string::npos);
}

TEST_F(HttpServerTest, many_pipelined_requests_are_all_answered) {
  serve();
  Browser browser(server_->port());
  std::string requests;
  for (int i = 0; i < 700; i++) requests += "GET /x HTTP/1.1\r\n\r\n";
  browser.send(requests);
  browser.read_until("path=/x query=;", 700);
}

TEST_F(HttpServerTest, head_has_the_length_and_no_body) {
  serve();
  Browser browser(server_->port());
  browser.send("HEAD /a HTTP/1.1\r\nConnection: close\r\n\r\n");
  const std::string text = browser.read_all();
  EXPECT_NE(text.find("Content-Length: 15\r\n"), std::string::npos) << text;
  EXPECT_NE(text.find("Connection: close\r\n\r\n"), std::string::npos);
  EXPECT_EQ(text.find("path="), std::string::npos);
}

TEST_F(HttpServerTest, a_large_page_arrives_whole) {
  serve();
  Browser browser(server_->port());
  browser.send("GET /big HTTP/1.0\r\n\r\n");
  const std::string text = browser.read_all();
  EXPECT_NE(text.find("Content-Length: 3000005\r\n"), std::string::npos);
  EXPECT_EQ(text.size() - text.find("\r\n\r\n") - 4, 3000005U);
  EXPECT_EQ(text.substr(text.size() - 5), "!end!");
}

TEST_F(HttpServerTest, refuses_what_is_no_plain_request) {
  serve();
  const std::pair<const char*, const char*> cases[] = {
      {"POST /varz HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc",
       "HTTP/1.1 405 Method Not Allowed\r\nAllow: GET, HEAD\r\n"},
      {"nonsense\r\n\r\n", "HTTP/1.1 400 Bad Request\r\n"},
      {"GET varz HTTP/1.1\r\n\r\n", "HTTP/1.1 400 Bad Request\r\n"},
      {"GET / HTTP/2.0\r\n\r\n", "HTTP/1.1 400 Bad Request\r\n"},
      {"GET / HTTP/1.1\r\nno colon\r\n\r\n", "HTTP/1.1 400 Bad Request\r\n"},
      {"GET /missing HTTP/1.1\r\nConnection: close\r\n\r\n", "HTTP/1.1 404 Not Found\r\n"},
  };
  for (const auto& [request, answer] : cases) {
    Browser browser(server_->port());
    browser.send(request);
    EXPECT_EQ(browser.read_all().find(answer), 0U) << request;
  }
}

TEST_F(HttpServerTest, a_request_with_a_body_is_answered_and_the_connection_closed) {
  serve();
  Browser browser(server_->port());
  browser.send("GET /a HTTP/1.1\r\nContent-Length: 22\r\n\r\nGET /smuggled HTTP/1.1\r\n\r\n");
  const std::string text = browser.read_all();
  EXPECT_NE(text.find("path=/a"), std::string::npos);
  EXPECT_EQ(text.find("smuggled"), std::string::npos);
}

TEST_F(HttpServerTest, an_oversize_head_is_refused_with_bounded_memory) {
  HttpLimits limits;
  limits.request_bytes_max = 1000;
  serve(limits);
  Browser browser(server_->port());
  browser.send("GET / HTTP/1.1\r\nX: " + std::string(1500, 'x'));
  EXPECT_EQ(browser.read_all().find("HTTP/1.1 431 Request Header Fields Too Large\r\n"), 0U);
}

TEST_F(HttpServerTest, who_never_ends_a_request_is_hung_up_on_and_others_are_served_meanwhile) {
  HttpLimits limits;
  limits.request_ns_max = 300'000'000;
  serve(limits);
  Browser silent(server_->port());
  Browser slow(server_->port());
  slow.send("GET / HT");
  Browser other(server_->port());
  other.send("GET /other HTTP/1.1\r\n\r\n");
  other.read_until("path=/other query=;");
  EXPECT_EQ(silent.read_all(), "");
  EXPECT_EQ(slow.read_all(), "");
}

TEST_F(HttpServerTest, dripping_bytes_does_not_prolong_the_time_of_a_request) {
  HttpLimits limits;
  limits.request_ns_max = 200'000'000;
  serve(limits);
  Browser slow(server_->port());
  slow.send("GET / HTTP/1.1\r\n");
  for (int i = 0; i < 20; i++) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    slow.send("X: y\r\n");
  }
  slow.send("\r\n");
  EXPECT_EQ(slow.read_all(), "");
}

TEST_F(HttpServerTest, who_does_not_take_the_answer_is_hung_up_on) {
  HttpLimits limits;
  limits.response_ns_max = 200'000'000;
  serve(limits);
  Browser lazy(server_->port());
  for (int i = 0; i < 5; i++) lazy.send("GET /big HTTP/1.1\r\n\r\n");
  // Not by the clock alone, for the server's thread may stand still: it has begun when the first is
  // answered, and has seen that the time is over when the others are.
  for (const int wait_ms : {600, 0, 0}) {
    Browser other(server_->port());
    other.send("GET / HTTP/1.1\r\nConnection: close\r\n\r\n");
    EXPECT_NE(other.read_all(), "");
    std::this_thread::sleep_for(std::chrono::milliseconds(wait_ms));
  }
  EXPECT_LT(lazy.read_all().size(), 15'000'000U);
}

TEST_F(HttpServerTest, a_newcomer_takes_the_place_of_the_quietest) {
  HttpLimits limits;
  limits.connections_max = 2;
  serve(limits);
  Browser first(server_->port());
  Browser second(server_->port());
  first.send("GET /first HTTP/1.1\r\n\r\n");
  first.read_until("path=/first query=;");
  second.send("GET /second HTTP/1.1\r\n\r\n");
  second.read_until("path=/second query=;");
  Browser third(server_->port());
  third.send("GET /third HTTP/1.1\r\n\r\n");
  third.read_until("path=/third query=;");
  EXPECT_EQ(first.read_all().find("path=/third"), std::string::npos);
  second.send("GET /again HTTP/1.1\r\n\r\n");
  second.read_until("path=/again query=;");
}

TEST_F(HttpServerTest, a_taken_port_is_an_error_and_stop_frees_it) {
  serve();
  const uint16_t port = server_->port();
  const auto page = [](const HttpRequest&) { return HttpResponse{}; };
  EXPECT_EQ(HttpServer::create(clock_, "127.0.0.1", port, page).code(), ErrorCode::address_in_use);
  server_->stop();
  Result<std::unique_ptr<HttpServer>> again = HttpServer::create(clock_, "127.0.0.1", port, page);
  EXPECT_TRUE(again.is_ok());
}

TEST(DecodeUrl, decodes_escapes_and_leaves_what_is_none) {
  EXPECT_EQ(decode_url("a%20b+c%2Fd", false), "a b+c/d");
  EXPECT_EQ(decode_url("a+b%2b", true), "a b+");
  EXPECT_EQ(decode_url("%zz%4", false), "%zz%4");
}

TEST_F(HttpServerTest, serves_on_after_memory_failed_for_a_page) {
  // On the server's thread: the page can be made, what follows of the answer cannot.
  const auto round = [&](test::FailingMemory& memory) {
    Result<std::unique_ptr<HttpServer>> server =
        HttpServer::create(clock_, "127.0.0.1", 0, [&](const HttpRequest& request) {
          if (request.path == "/tell") memory.end();
          HttpResponse response;
          response.body = std::string(300, 'b');
          if (request.path == "/fail") memory.begin();
          return response;
        });
    ASSERT_TRUE(server);
    server_ = std::move(*server);
    ASSERT_TRUE(server_->start());
    {
      Browser victim(server_->port());
      victim.send("GET /fail HTTP/1.0\r\n\r\n");
      victim.read_until("\r\n\r\nb");  // Or the end of the connection.
    }
    Browser browser(server_->port());
    browser.send("GET /tell HTTP/1.1\r\n\r\n");
    // It may be this one for which there is no memory.
    if (browser.read_until("bbb").empty()) {
      Browser again(server_->port());
      again.send("GET /tell HTTP/1.1\r\n\r\n");
      EXPECT_NE(again.read_until("bbb"), "");
    }
    server_->stop();
  };
  EXPECT_GT(test::fail_each_allocation(test::Failing::once, round), 0);
}

}  // namespace
}  // namespace martlet::io
