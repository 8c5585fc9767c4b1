// SPDX-License-Identifier: Apache-2.0
//
// Goal: what our C++ client does inside one process, for packages of other languages to be measured
// beside: the rate from one connection to another, the median of a request, the start of a broker.
// Method: some rounds around an embedded broker without a socket; medians, written with --json.
//   in_process_rates [--messages N] [--rounds N] [--json FILE]
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "client/completion_queue.hpp"
#include "client/connection.hpp"
#include "io/system_clock.hpp"
#include "rounds.hpp"
#include "server/server.hpp"

namespace {

using namespace martlet;
using namespace martlet::performance;

constexpr int64_t wait_ns = 60'000'000'000;
constexpr int requests = 5000;
constexpr int starts = 50;
const std::string payload(128, 'x');

std::unique_ptr<server::Server> start_server() {
  server::Options options;
  options.listens = false;
  auto server = taken(server::Server::create(options, nullptr), "server");
  check(server->start(), "start");
  return server;
}

/// A connection with a thread of its own, and the queue that its messages come to.
struct Side {
  Side(server::Server& server, const Clock& clock) {
    queue = taken(client::CompletionQueue::create(clock, {}), "queue");
    connection =
        taken(client::Connection::create_in_process(server.connector(), {}, nullptr, 0, clock),
              "connection");
    check(connection->connect(wait_ns), "connect");
  }
  std::unique_ptr<client::Subscription> subscribe(std::string_view subject) {
    auto made = taken(connection->subscribe(subject, {}, {}, queue, 0), "subscribe");
    check(connection->flush(wait_ns), "flush");
    return made;
  }
  void publish(const client::PublishView& message) {
    Status status = connection->publish(message);
    while (status.code() == ErrorCode::again) {
      check(connection->wait_capacity(static_cast<int64_t>(message.data.size()), wait_ns), "room");
      status = connection->publish(message);
    }
    check(status, "publish");
  }
  std::shared_ptr<client::CompletionQueue> queue;
  std::unique_ptr<client::Connection> connection;
};

/// Calls for each message until there were so many.
void for_each(Side& side, int count, const std::function<void(const client::Batch&, int32_t)>& on) {
  for (int got = 0; got < count;) {
    const Result<client::Batch> batch = side.queue->poll(0, wait_ns);
    if (!batch) die("nothing came");
    for (int32_t i = 0; i < batch->count(); ++i) {
      if (batch->kind(i) != client::CompletionKind::message) continue;
      on(*batch, i);
      ++got;
    }
  }
}

double rate(const Clock& clock, int messages) {
  const std::unique_ptr<server::Server> server = start_server();
  Side publisher(*server, clock);
  Side receiver(*server, clock);
  const auto subscription = receiver.subscribe("rate");
  const int64_t start_ns = clock.monotonic_ns();
  std::thread thread([&] {
    for (int i = 0; i < messages; ++i) publisher.publish({"rate", {}, {}, payload});
  });
  size_t bytes = 0;
  for_each(receiver, messages,
           [&](const client::Batch& batch, int32_t i) { bytes += batch.data(i).size(); });
  const double seconds = static_cast<double>(clock.monotonic_ns() - start_ns) / 1e9;
  thread.join();
  if (bytes != payload.size() * static_cast<size_t>(messages)) die("wrong data");
  return messages / seconds;
}

double request_p50_us(const Clock& clock) {
  const std::unique_ptr<server::Server> server = start_server();
  Side asking(*server, clock);
  Side answering(*server, clock);
  const auto subscription = answering.subscribe("echo");
  std::thread thread([&] {
    for_each(answering, requests, [&](const client::Batch& batch, int32_t i) {
      answering.publish({batch.reply(i), {}, {}, batch.data(i)});
    });
  });
  std::vector<double> times_us;
  for (int i = 0; i < requests; ++i) {
    const int64_t start_ns = clock.monotonic_ns();
    if (!asking.connection->request({"echo", {}, {}, payload}, wait_ns)) die("request");
    times_us.push_back(static_cast<double>(clock.monotonic_ns() - start_ns) / 1000);
  }
  thread.join();
  return median(times_us);
}

double start_us(const Clock& clock) {
  std::vector<double> times_us;
  for (int i = 0; i < starts; ++i) {
    const int64_t start_ns = clock.monotonic_ns();
    const std::unique_ptr<server::Server> server = start_server();
    times_us.push_back(static_cast<double>(clock.monotonic_ns() - start_ns) / 1000);
  }
  return median(times_us);
}

}  // namespace

int main(int argc, char** argv) {
  const Arguments arguments = read_arguments(argc, argv, 500'000, 1);
  const io::SystemClock clock;
  const Rows rows = {
      {"in-process C++", [&] { return rate(clock, arguments.messages); }},
      {"in-process request C++", [&] { return request_p50_us(clock); }},
      {"in-process start C++", [&] { return start_us(clock); }},
  };
  measure(rows, arguments);
  return 0;
}
