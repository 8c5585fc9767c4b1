// SPDX-License-Identifier: Apache-2.0
//
// Owns the command `bench`.
#include "program/bench.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <mutex>
#include <thread>

#include "client/publish_line.hpp"
#include "io/process.hpp"
#include "io/thread.hpp"
#include "program/client_tool.hpp"
#include "program/progress.hpp"

namespace martlet::program {
namespace {

constexpr std::string_view usage = "pub | sub | service request | service serve  [flags] SUBJECT";

struct BenchOptions {
  int64_t clients = 1;
  int64_t msgs = 100000;
  int64_t size_bytes = 128;
  int64_t sleep_ns = 0;
  bool progress = true;
  std::vector<std::string> headers;
};

// What the threads of one run share: how far they are, and the first thing that went wrong.
class BenchRun {
 public:
  std::atomic<int64_t> done{0};
  std::atomic<int> running{0};
  std::atomic<int64_t> start_ns{INT64_MAX};  // Of the first message.
  std::atomic<int64_t> end_ns{0};

  void note(int64_t now_ns) {
    for (int64_t seen = start_ns.load();
         now_ns < seen && !start_ns.compare_exchange_weak(seen, now_ns);) {
    }
    for (int64_t seen = end_ns.load();
         now_ns > seen && !end_ns.compare_exchange_weak(seen, now_ns);) {
    }
  }
  void fail(Error error) {
    std::lock_guard<std::mutex> lock(mutex_);
    if (error_.code == ErrorCode::ok) error_ = std::move(error);
  }
  Error error() const {
    std::lock_guard<std::mutex> lock(mutex_);
    return error_;
  }
  void add_latencies(const std::vector<int64_t>& latencies_ns) {
    std::lock_guard<std::mutex> lock(mutex_);
    latencies_ns_.insert(latencies_ns_.end(), latencies_ns.begin(), latencies_ns.end());
  }
  std::vector<int64_t>& latencies_ns() { return latencies_ns_; }

 private:
  mutable std::mutex mutex_;
  Error error_{ErrorCode::ok, ""};
  std::vector<int64_t> latencies_ns_;
};

struct BenchWork {
  ClientTool& tool;
  const BenchOptions& options;
  const std::string subject;
  const std::string headers;
  BenchRun run;
};

void pause(const BenchOptions& options) {
  if (options.sleep_ns > 0) std::this_thread::sleep_for(std::chrono::nanoseconds(options.sleep_ns));
}

Status bench_pub(BenchWork& work, ClientTool::Session& session, int64_t count) {
  const std::string data(static_cast<size_t>(work.options.size_bytes), 'x');
  const client::PublishView message{work.subject, {}, work.headers, data};
  work.run.note(work.tool.clock().monotonic_ns());
  for (int64_t i = 0; i < count; ++i) {
    Status status = session.connection->publish(message);
    while (status.code() == ErrorCode::again) {
      status = session.connection->wait_capacity(work.options.size_bytes, work.tool.timeout_ns());
      if (status) status = session.connection->publish(message);
    }
    if (!status) return status;
    if (i % 64 == 63) work.run.done.fetch_add(64, std::memory_order_relaxed);
    pause(work.options);
  }
  work.run.done.fetch_add(count % 64, std::memory_order_relaxed);
  Status status = session.connection->flush(work.tool.timeout_ns());
  work.run.note(work.tool.clock().monotonic_ns());
  return status;
}

// Waits for `count` messages; each is given to `take`. The clock starts with the first.
Status receive(BenchWork& work, ClientTool::Session& session, int64_t count,
               const std::function<Status(const client::Batch& batch, int32_t index)>& take) {
  for (int64_t got = 0; got < count;) {
    const Result<client::Batch> batch = session.queue->poll(0, -1);
    if (!batch) return Status(batch.error());
    const int64_t before = got;
    for (int32_t i = 0; i < batch->count(); ++i) {
      if (batch->kind(i) == client::CompletionKind::closed)
        return Status(ErrorCode::closed, std::string(batch->data(i)));
      if (batch->kind(i) != client::CompletionKind::message) continue;
      ++got;
      Status status = take(*batch, i);
      if (!status) return status;
    }
    if (got > before) work.run.note(work.tool.clock().monotonic_ns());
    work.run.done.fetch_add(got - before, std::memory_order_relaxed);
  }
  return Status();
}

Status bench_sub(BenchWork& work, ClientTool::Session& session, int64_t count) {
  Result<std::unique_ptr<client::Subscription>> subscription =
      session.connection->subscribe(work.subject, {}, {}, session.queue, 0);
  if (!subscription) return Status(subscription.error());
  Status status = session.connection->flush(work.tool.timeout_ns());
  if (!status) return status;
  return receive(work, session, count, [](const client::Batch&, int32_t) { return Status(); });
}

Status bench_serve(BenchWork& work, ClientTool::Session& session, int64_t count) {
  Result<std::unique_ptr<client::Subscription>> subscription =
      session.connection->subscribe(work.subject, "bench", {}, session.queue, 0);
  if (!subscription) return Status(subscription.error());
  Status status = session.connection->flush(work.tool.timeout_ns());
  if (!status) return status;
  const std::string data(static_cast<size_t>(work.options.size_bytes), 'x');
  status = receive(work, session, count, [&](const client::Batch& batch, int32_t index) {
    if (batch.reply(index).empty()) return Status();
    pause(work.options);
    return session.connection->publish({batch.reply(index), {}, work.headers, data});
  });
  return status ? session.connection->flush(work.tool.timeout_ns()) : std::move(status);
}

Status bench_request(BenchWork& work, ClientTool::Session& session, int64_t count) {
  const std::string data(static_cast<size_t>(work.options.size_bytes), 'x');
  std::vector<int64_t> latencies;
  latencies.reserve(static_cast<size_t>(count));
  for (int64_t i = 0; i < count; ++i) {
    const int64_t start = work.tool.clock().monotonic_ns();
    work.run.note(start);
    const Result<client::Batch> answer =
        session.connection->request({work.subject, {}, work.headers, data}, work.tool.timeout_ns());
    if (!answer) return Status(answer.error());
    latencies.push_back(work.tool.clock().monotonic_ns() - start);
    work.run.done.fetch_add(1, std::memory_order_relaxed);
    pause(work.options);
  }
  work.run.note(work.tool.clock().monotonic_ns());
  work.run.add_latencies(latencies);
  return Status();
}

using Part = Status (*)(BenchWork&, ClientTool::Session&, int64_t);

void report(BenchWork& work, const std::string& what) {
  const int64_t done = work.run.done.load();
  const double seconds =
      std::max(1e-9, static_cast<double>(work.run.end_ns - work.run.start_ns) / 1e9);
  const double rate = static_cast<double>(done) / seconds;
  fmt::print("{}: {} messages of {} bytes by {} client(s) in {:.3f} s: {} msgs/s, {}/s\n", what,
             with_commas(done), work.options.size_bytes, work.options.clients, seconds,
             with_commas(static_cast<int64_t>(rate)),
             readable_bytes(rate * static_cast<double>(work.options.size_bytes)));
  std::vector<int64_t>& latencies = work.run.latencies_ns();
  if (latencies.empty()) return;
  std::sort(latencies.begin(), latencies.end());
  const auto at = [&](double share) {
    return static_cast<double>(
               latencies[static_cast<size_t>(share * static_cast<double>(latencies.size() - 1))]) /
           1e3;
  };
  fmt::print("latency: p50 {:.1f} us, p90 {:.1f} us, p99 {:.1f} us, most {:.1f} us\n", at(0.5),
             at(0.9), at(0.99), at(1));
}

int run_parts(BenchWork& work, const std::string& what, Part part, bool each_gets_all,
              client::RunMode mode) {
  const int64_t clients = work.options.clients;
  work.run.running.store(static_cast<int>(clients));
  std::vector<std::thread> threads;
  for (int64_t c = 0; c < clients; ++c) {
    const int64_t share =
        each_gets_all ? work.options.msgs
                      : work.options.msgs / clients + (c < work.options.msgs % clients ? 1 : 0);
    Result<std::thread> thread = io::start_thread("a client", [&work, part, share, mode] {
      Result<ClientTool::Session> session = work.tool.connect(mode);
      Status status = session ? part(work, *session, share) : Status(session.error());
      if (!status) work.run.fail(status.take_error());
      work.run.running.fetch_sub(1);
    });
    if (!thread) {
      work.run.fail(thread.take_error());
      break;
    }
    threads.push_back(std::move(*thread));
  }
  {
    const int64_t total = each_gets_all ? work.options.msgs * clients : work.options.msgs;
    Progress progress(work.tool.clock(), what, total,
                      work.options.progress && io::is_error_terminal());
    while (work.run.running.load() > 0) {
      progress.show(work.run.done.load(std::memory_order_relaxed));
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
      if (work.run.error().code != ErrorCode::ok) break;
    }
    progress.show(work.run.done.load());
  }
  const Error error = work.run.error();
  if (error.code != ErrorCode::ok) {
    for (std::thread& thread : threads)
      thread.detach();  // They may wait for ever; the program ends now.
    std::_Exit(work.tool.fail(error));
  }
  for (std::thread& thread : threads) thread.join();
  report(work, what);
  return 0;
}

}  // namespace

int run_bench(const std::string& called_as, const std::vector<std::string>& arguments) {
  ClientTool tool(called_as, std::string(usage),
                  "Measures a server with our client. `sub` and `service serve` start first and "
                  "wait for the others.");
  BenchOptions options;
  tool.line().add_number(0, "clients", "connections, each with a thread (1)", &options.clients, 1);
  tool.line().add_number(0, "msgs", "messages in all; for sub, of each client (100000)",
                         &options.msgs, 1);
  tool.line().add_size(0, "size", "size of a message (128B)", &options.size_bytes);
  tool.line().add_duration(0, "sleep", "pause between messages", &options.sleep_ns);
  tool.line().add_texts('H', "header", "a header as Key:value; may be repeated", &options.headers);
  tool.line().add_switch(0, "progress", "show a bar on a terminal (--no-progress: do not)",
                         &options.progress);
  if (!tool.begin(arguments, 0, 3)) return tool.exit_status();
  const std::vector<std::string>& words = tool.line().positional();
  if (words.empty()) return tool.refuse(fmt::format("what to measure is missing: {}", usage));
  if (words.size() == 1) return tool.refuse("a subject is missing");
  const std::string what =
      words[0] == "service" && words.size() == 3 ? "service " + words[1] : words[0];
  const struct {
    std::string_view name;
    Part part;
    bool each_gets_all;
    client::RunMode mode;
    bool subscribes;
  } parts[] = {
      {"pub", bench_pub, false, client::RunMode::own_thread, false},
      {"sub", bench_sub, true, client::RunMode::driven_by_caller, true},
      {"service request", bench_request, false, client::RunMode::driven_by_caller, false},
      {"service serve", bench_serve, false, client::RunMode::driven_by_caller, true},
  };
  Result<std::string> headers = headers_of_flags(options.headers);
  if (!headers) return tool.fail(headers.error());
  for (const auto& entry : parts) {
    if (entry.name != what || words.size() != (what == words[0] ? 2U : 3U)) continue;
    const Status status = entry.subscribes ? check_subscription(words.back(), {})
                                           : client::check_subjects({words.back(), {}, {}, {}});
    if (!status) return tool.fail(status);
    BenchWork work{tool, options, words.back(), *headers, {}};
    return run_parts(work, what, entry.part, entry.each_gets_all, entry.mode);
  }
  return tool.fail(
      Error{ErrorCode::invalid_argument,
            fmt::format("there is no bench {}; usage: {} {}", what, called_as, usage)});
}

}  // namespace martlet::program
