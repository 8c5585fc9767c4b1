// SPDX-License-Identifier: Apache-2.0
//
// Goal: what our client costs beside the least that a client could do on the same server. Method:
// in turn, some rounds: a bare blocking socket that sends pre-encoded bytes or only counts what
// arrives, and core/client; medians and ratios.
//   client_rates HOST PORT [MESSAGES [ROUNDS]]
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "client/connection.hpp"
#include "io/system_clock.hpp"
#include "rounds.hpp"

namespace {

using namespace martlet;
using namespace martlet::client;
using namespace martlet::performance;

const io::SystemClock system_clock_;
constexpr size_t payload_bytes = 128;
constexpr int messages_max = 1'000'000'000;
constexpr int rounds_max = 1000;
constexpr int64_t wait_ns = 60 * ns_per_s;

double seconds() { return static_cast<double>(system_clock_.monotonic_ns()) / 1e9; }

class BareSocket {
 public:
  BareSocket(const char* host, int port) {
    fd_ = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(port));
    if (inet_pton(AF_INET, host, &address.sin_addr) != 1)
      die("HOST is '" + std::string(host) + "', not an IPv4 address");
    if (connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
      die("cannot connect");
    const int one = 1;
    setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    send(
        "CONNECT "
        "{\"verbose\":false,\"pedantic\":false,\"protocol\":1,\"headers\":true,\"no_responders\":"
        "true}\r\nPING\r\n");
    until("PONG\r\n");
  }
  ~BareSocket() { close(fd_); }
  int descriptor() const { return fd_; }
  void send(std::string_view text) {
    while (!text.empty()) {
      const ssize_t sent = ::send(fd_, text.data(), text.size(), MSG_NOSIGNAL);
      if (sent <= 0) die("send");
      text.remove_prefix(static_cast<size_t>(sent));
    }
  }
  size_t receive() {
    const ssize_t got = recv(fd_, buffer_, sizeof buffer_, 0);
    if (got <= 0) die("receive");
    return static_cast<size_t>(got);
  }
  void until(std::string_view mark) {
    std::string seen;
    while (seen.find(mark) == std::string::npos) {
      const size_t got = receive();
      seen.append(buffer_, got);
      if (seen.size() > 4096) seen.erase(0, seen.size() - 100);
    }
  }

 private:
  int fd_;
  char buffer_[256 * 1024];
};

struct OurClient {
  OurClient(const char* host, int port, RunMode run, const QueueOptions& queue_options = {}) {
    ConnectionOptions options =
        taken(parse_connection_options(std::string(host) + ":" + std::to_string(port)), "options");
    options.run = run;
    queue = taken(CompletionQueue::create(system_clock_, queue_options), "queue");
    connection = taken(Connection::create(options, queue, 0, system_clock_), "connection");
    check(connection->connect(), "connect");
  }
  void publish(const PublishView& message) {
    Status status = connection->publish(message);
    while (status.code() == ErrorCode::again) {
      if (!connection->wait_capacity(static_cast<int64_t>(message.data.size()) + 64, wait_ns))
        die("no room");
      status = connection->publish(message);
    }
    if (!status) die("publish");
  }
  std::shared_ptr<CompletionQueue> queue;
  std::unique_ptr<Connection> connection;
};

double bare_publish(const char* host, int port, int messages) {
  BareSocket socket(host, port);
  const std::string one = "PUB bench " + std::to_string(payload_bytes) + "\r\n" +
                          std::string(payload_bytes, 'x') + "\r\n";
  std::string chunk;
  const int per_chunk = static_cast<int>(65536 / one.size());
  for (int i = 0; i < per_chunk; ++i) chunk += one;
  const double start = seconds();
  int sent = 0;
  for (; sent + per_chunk <= messages; sent += per_chunk) socket.send(chunk);
  socket.send("PING\r\n");
  socket.until("PONG\r\n");
  return sent / (seconds() - start);
}

double our_publish(const char* host, int port, int messages) {
  OurClient client(host, port, RunMode::own_thread);
  const std::string data(payload_bytes, 'x');
  const double start = seconds();
  for (int i = 0; i < messages; ++i) client.publish({"bench", {}, {}, data});
  if (!client.connection->flush(wait_ns)) die("flush");
  return messages / (seconds() - start);
}

void publish_in_background(const char* host, int port, int messages) {
  bare_publish(host, port, messages + 1000);
}

double bare_receive(const char* host, int port, int messages) {
  BareSocket socket(host, port);
  socket.send("SUB bench 1\r\nPING\r\n");
  socket.until("PONG\r\n");
  std::thread publisher(publish_in_background, host, port, messages);
  const size_t one = std::strlen("MSG bench 1 128\r\n") + payload_bytes + 2;
  size_t bytes = 0;
  const double start = seconds();
  while (bytes < one * static_cast<size_t>(messages)) bytes += socket.receive();
  const double rate = messages / (seconds() - start);
  publisher.join();
  return rate;
}

double our_receive(const char* host, int port, int messages, RunMode run) {
  OurClient client(host, port, run);
  const Result<std::unique_ptr<Subscription>> subscription =
      client.connection->subscribe("bench", {}, {}, client.queue, 1);
  if (!subscription || !client.connection->flush(wait_ns)) die("subscribe");
  std::thread publisher(publish_in_background, host, port, messages);
  int64_t got = 0;
  int64_t checksum = 0;
  const double start = seconds();
  while (got < messages) {
    const Result<Batch> batch = client.queue->poll(0, wait_ns);
    if (!batch) die("nothing came");
    for (int32_t i = 0; i < batch->count(); ++i) {
      if (batch->kind(i) != CompletionKind::message) continue;
      checksum += batch->data(i)[0];
      ++got;
    }
  }
  const double rate = messages / (seconds() - start);
  publisher.join();
  if (checksum != got * 'x') die("wrong data");
  return rate;
}

// A service that echoes, on a bare socket, the same for both.
class EchoService {
 public:
  EchoService(const char* host, int port) : socket_(host, port) {
    socket_.send("SUB bench.echo 1\r\nPING\r\n");
    socket_.until("PONG\r\n");
    thread_ = std::thread([this] { serve(); });
  }
  ~EchoService() { thread_.join(); }

 private:
  void serve() {
    char buffer[4096];
    for (;;) {
      const ssize_t got = recv(socket_.descriptor(), buffer, sizeof buffer, 0);
      if (got <= 0) return;
      std::string_view text(buffer, static_cast<size_t>(got));
      if (text.find("STOP") != std::string_view::npos) return;
      // A PING may stand before the request.
      const size_t start = text.find("MSG bench.echo 1 ");
      if (start == std::string_view::npos) continue;
      text.remove_prefix(start + 17);
      socket_.send("PUB " + std::string(text.substr(0, text.find(' '))) + " 2\r\nok\r\n");
    }
  }
  BareSocket socket_;
  std::thread thread_;
};

double bare_request(const char* host, int port, int count) {
  BareSocket socket(host, port);
  socket.send("SUB _INBOX.0123456789012345678901.* 1\r\nPING\r\n");
  socket.until("PONG\r\n");
  std::vector<double> times;
  for (int i = 0; i < count; ++i) {
    // A reply subject for each, as any client that shares one inbox has: the server finds none of
    // them in its cache.
    const std::string request =
        "PUB bench.echo _INBOX.0123456789012345678901." + std::to_string(i) + " 4\r\nping\r\n";
    const double start = seconds();
    socket.send(request);
    socket.receive();
    times.push_back(seconds() - start);
  }
  return median(times) * 1e6;
}

double our_request(const char* host, int port, int count, RunMode run) {
  OurClient client(host, port, run);
  std::vector<double> times;
  for (int i = 0; i < count; ++i) {
    const double start = seconds();
    if (!client.connection->request({"bench.echo", {}, {}, "ping"}, wait_ns)) die("request");
    times.push_back(seconds() - start);
  }
  return median(times) * 1e6;
}

// 99 of 100 messages are there sooner.
double percentile_99(std::vector<double> times) {
  std::sort(times.begin(), times.end());
  return times[times.size() * 99 / 100];
}

// One publishes, the other waits for it, without a pause and without a flush.
double bare_turns(const char* host, int port, int count) {
  BareSocket publisher(host, port);
  BareSocket receiver(host, port);
  receiver.send("SUB bench.turn 1\r\nPING\r\n");
  receiver.until("PONG\r\n");
  std::vector<double> times;
  for (int i = 0; i < count; ++i) {
    const double start = seconds();
    publisher.send("PUB bench.turn 2\r\nok\r\n");
    receiver.until("ok\r\n");
    times.push_back(seconds() - start);
  }
  return percentile_99(times) * 1e6;
}

double our_turns(const char* host, int port, int count) {
  OurClient publisher(host, port, RunMode::own_thread);
  OurClient receiver(host, port, RunMode::own_thread);
  const Result<std::unique_ptr<Subscription>> subscription =
      receiver.connection->subscribe("bench.turn", {}, {}, receiver.queue, 1);
  if (!subscription || !receiver.connection->flush(wait_ns)) die("subscribe");
  std::vector<double> times;
  for (int i = 0; i < count; ++i) {
    const double start = seconds();
    publisher.publish({"bench.turn", {}, {}, "ok"});
    if (!receiver.queue->poll(1, wait_ns)) die("nothing came");
    times.push_back(seconds() - start);
  }
  return percentile_99(times) * 1e6;
}

void row(const char* name, const char* unit, double scale, int rounds,
         const std::function<double()>& bare, const std::function<double()>& ours) {
  std::vector<double> a;
  std::vector<double> b;
  for (int i = 0; i < rounds; ++i) {
    a.push_back(bare());
    b.push_back(ours());
  }
  std::printf("%-34s bare %9.3f %s   ours %9.3f %s   ratio %.2f\n", name, median(a) / scale, unit,
              median(b) / scale, unit, median(b) / median(a));
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) die("usage: client_rates HOST PORT [MESSAGES [ROUNDS]]");
  const char* const host = argv[1];
  const int port = read_number("PORT", argv[2], 1, 65535);
  const int messages = argc > 3 ? read_number("MESSAGES", argv[3], 1, messages_max) : 1'000'000;
  const int rounds = argc > 4 ? read_number("ROUNDS", argv[4], 1, rounds_max) : 3;
  {
    OurClient client(host, port, RunMode::own_thread);
    const std::string data(payload_bytes, 'x');
    const double start = seconds();
    int count = 0;
    while (count < 100000 && client.connection->publish({"bench", {}, {}, data}).is_ok()) ++count;
    std::printf("publish(): %.0f ns a call over the first %d\n", (seconds() - start) * 1e9 / count,
                count);
  }
  row(
      "publish 128 B", "M/s", 1e6, rounds, [&] { return bare_publish(host, port, messages); },
      [&] { return our_publish(host, port, messages); });
  row(
      "receive 128 B, driven by caller", "M/s", 1e6, rounds,
      [&] { return bare_receive(host, port, messages); },
      [&] { return our_receive(host, port, messages, RunMode::driven_by_caller); });
  row(
      "receive 128 B, own thread", "M/s", 1e6, rounds,
      [&] { return bare_receive(host, port, messages); },
      [&] { return our_receive(host, port, messages, RunMode::own_thread); });
  row(
      "publish and receive in turn, p99", "us", 1, rounds,
      [&] { return bare_turns(host, port, 3000); }, [&] { return our_turns(host, port, 3000); });
  EchoService echo(host, port);
  row(
      "request p50, driven by caller", "us", 1, rounds,
      [&] { return bare_request(host, port, 3000); },
      [&] { return our_request(host, port, 3000, RunMode::driven_by_caller); });
  row(
      "request p50, own thread", "us", 1, rounds, [&] { return bare_request(host, port, 3000); },
      [&] { return our_request(host, port, 3000, RunMode::own_thread); });
  BareSocket stop(host, port);
  stop.send("PUB bench.echo 4\r\nSTOP\r\nPING\r\n");
  stop.until("PONG\r\n");
  return 0;
}
