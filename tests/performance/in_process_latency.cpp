// SPDX-License-Identifier: Apache-2.0
//
// Goal: what a message inside one process costs from publish to its receiver's code, beside the
// least that as many wake-ups could cost. Method: in turn, some rounds: two threads around an
// embedded broker (two hops: publisher to the broker's loop, loop to receiver), and three threads
// in a chain of bare eventfds. The next message leaves when the last has been answered through an
// eventfd, so everybody sleeps when it does. Prints medians in µs; writes them with --json.
//   in_process_latency [--messages N] [--rounds N] [--json FILE]
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
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
constexpr int64_t spin_us = 2000;  // Longer than any answer takes, so that nobody sleeps.
constexpr int warm_up_messages = 200;

/// A wake-up: one thread writes, another sleeps until it has.
class Bell {
 public:
  Bell() : descriptor_(eventfd(0, EFD_CLOEXEC)) {
    if (descriptor_ < 0) die("no eventfd");
  }
  ~Bell() { close(descriptor_); }
  Bell(const Bell&) = delete;
  Bell& operator=(const Bell&) = delete;
  void ring() {
    const uint64_t one = 1;
    if (write(descriptor_, &one, sizeof one) != sizeof one) die("eventfd: write");
  }
  void wait() {
    uint64_t count = 0;
    if (read(descriptor_, &count, sizeof count) != sizeof count) die("eventfd: read");
  }

 private:
  int descriptor_;
};

double p50_us(std::vector<int64_t>& times_ns) {
  times_ns.erase(times_ns.begin(), times_ns.begin() + warm_up_messages);
  std::sort(times_ns.begin(), times_ns.end());
  return static_cast<double>(times_ns[times_ns.size() / 2]) / 1000;
}

double chain_p50_us(const Clock& clock, int messages) {
  Bell first;
  Bell second;
  Bell answered;
  std::thread middle([&] {
    for (int i = 0; i < messages; ++i) {
      first.wait();
      second.ring();
    }
  });
  int64_t sent_ns = 0;  // Handed over by the bells.
  std::vector<int64_t> times_ns;
  std::thread last([&] {
    for (int i = 0; i < messages; ++i) {
      second.wait();
      times_ns.push_back(clock.monotonic_ns() - sent_ns);
      answered.ring();
    }
  });
  for (int i = 0; i < messages; ++i) {
    sent_ns = clock.monotonic_ns();
    first.ring();
    answered.wait();
  }
  middle.join();
  last.join();
  return p50_us(times_ns);
}

/// One end: a connection inside the process and the queue that its messages come to.
struct Side {
  Side(server::Server& server, const Clock& clock, int64_t spin) {
    client::QueueOptions queue_options;
    queue_options.spin_us = spin;
    queue = taken(client::CompletionQueue::create(clock, queue_options), "queue");
    client::ConnectionOptions options;
    options.run = client::RunMode::driven_by_caller;
    options.spin_us = spin;
    connection =
        taken(client::Connection::create_in_process(server.connector(), options, nullptr, 0, clock),
              "connection");
    check(connection->connect(wait_ns), "connect");
  }
  std::shared_ptr<client::CompletionQueue> queue;
  std::unique_ptr<client::Connection> connection;
};

void receive(Side& side, const Clock& clock, int messages, Bell& answered,
             std::vector<int64_t>& times_ns) {
  for (int got = 0; got < messages;) {
    const Result<client::Batch> batch = side.queue->poll(0, wait_ns);
    if (!batch) die("nothing came");
    for (int32_t i = 0; i < batch->count(); ++i) {
      if (batch->kind(i) != client::CompletionKind::message) continue;
      int64_t sent_ns = 0;
      std::memcpy(&sent_ns, batch->data(i).data(), sizeof sent_ns);
      times_ns.push_back(clock.monotonic_ns() - sent_ns);
      ++got;
      answered.ring();
    }
  }
}

double broker_p50_us(const Clock& clock, int messages, int64_t spin) {
  server::Options options;
  options.listens = false;
  options.spin_us = spin;
  const auto server = taken(server::Server::create(options, nullptr), "server");
  check(server->start(), "start");
  std::vector<int64_t> times_ns;
  {
    Side publisher(*server, clock, spin);
    Side receiver(*server, clock, spin);
    const auto subscription =
        taken(receiver.connection->subscribe("latency", {}, {}, receiver.queue, 0), "subscribe");
    check(receiver.connection->flush(wait_ns), "flush");
    Bell answered;
    std::thread thread([&] { receive(receiver, clock, messages, answered, times_ns); });
    std::array<char, 128> data{};
    for (int i = 0; i < messages; ++i) {
      const int64_t now_ns = clock.monotonic_ns();
      std::memcpy(data.data(), &now_ns, sizeof now_ns);
      check(publisher.connection->publish({"latency", {}, {}, {data.data(), data.size()}}),
            "publish");
      answered.wait();
    }
    thread.join();
  }
  check(server->stop(), "stop");
  return p50_us(times_ns);
}

}  // namespace

int main(int argc, char** argv) {
  const Arguments arguments = read_arguments(argc, argv, 20'000, warm_up_messages + 1);
  const io::SystemClock clock;
  const int messages = arguments.messages;
  const Rows rows = {
      {"eventfd chain p50", [&] { return chain_p50_us(clock, messages); }},
      {"publish to callback p50", [&] { return broker_p50_us(clock, messages, 0); }},
      {"publish to callback p50, spinning",
       [&] { return broker_p50_us(clock, messages, spin_us); }},
  };
  measure(rows, arguments);
  return 0;
}
