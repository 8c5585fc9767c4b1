// SPDX-License-Identifier: Apache-2.0
//
// Owns the calls that wait for an answer of the server: requests by their number, flushes in the
// order of their PINGs, and when each is too late. Answers go to a waiting thread or to a queue.
// Guarded by its connection's mutex.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "client/feed_writer.hpp"

namespace martlet::client {

/// Where a waiting thread finds its answer. Shared by the thread and the table: the thread may give
/// up first.
struct CallSlot {
  std::atomic<bool> done{false};  // Set last.
  ErrorCode code = ErrorCode::ok;
  Batch reply;
  int64_t answered_ns = 0;
};

/// Where the answer of a call goes: to the slot, or into the queue with the cookie.
struct CallTarget {
  std::shared_ptr<CallSlot> slot;
  std::shared_ptr<CompletionQueue>
      queue;  // Shared with its owner, because the answer may come after it is let go.
  int64_t cookie = 0;
};

class CallTable {
 public:
  explicit CallTable(size_t requests_max) : requests_max_(requests_max) {}

  /// The inbox under which requests are answered: "<prefix>.<nuid>." is put before the number.
  void set_inbox(std::string inbox) { inbox_ = std::move(inbox); }
  const std::string& inbox() const { return inbox_; }

  /// A new request; `deadline_ns` below 0: its waiter knows the time itself. 0 when too many are
  /// under way.
  uint64_t add_request(CallTarget target, int64_t replies_max, int64_t deadline_ns);
  std::string reply_subject(uint64_t number) const;
  /// The request went out as the publish of this number: see fail_lost(), which may have been told
  /// already.
  void note_published(uint64_t number, int64_t publish_number, FeedWriter& writer);
  /// An answer to `subject`, an inbox of ours. `completion` has everything but kind and cookie.
  void on_reply(std::string_view subject, Completion completion, bool is_no_responders,
                FeedWriter& writer);
  /// Forgets a request whose waiter gave up.
  void forget_request(uint64_t number);

  enum class PingKind : uint8_t { keep_alive, call, drain_subscription, drain_connection };
  /// A PING was put into the outgoing buffer.
  uint64_t add_ping(PingKind kind, CallTarget target, int32_t sid, int64_t deadline_ns);
  struct Pong {
    PingKind kind = PingKind::keep_alive;
    int32_t sid = 0;
    bool expected = false;
  };
  /// The oldest PING was answered; a call is completed.
  Pong on_pong(int64_t now_ns, FeedWriter& writer);
  size_t pings() const { return pings_.size(); }

  /// Completes what is too late. Answers the next deadline, below 0 if there is none.
  int64_t expire(int64_t now_ns, FeedWriter& writer);
  int64_t next_deadline_ns() const { return deadlines_.empty() ? -1 : deadlines_.begin()->first; }
  /// The connection was lost: flushes fail, and requests whose publish is not above
  /// `last_publish_number`. Those above are in the reconnect buffer, and go on waiting.
  void fail_lost(int64_t last_publish_number, FeedWriter& writer);
  void fail_all(ErrorCode code, FeedWriter& writer);

 private:
  struct Deadline {
    bool is_request;
    uint64_t id;
  };
  using Deadlines = std::multimap<int64_t, Deadline>;
  struct Request {
    CallTarget target;
    int64_t replies_left;    // Below 1: no limit.
    int64_t publish_number;  // 0: not known yet.
    bool has_deadline;
    Deadlines::iterator deadline;
  };
  struct Ping {
    uint64_t id;
    PingKind kind;
    CallTarget target;  // Empty when its caller gave up: the PONG still comes.
    int32_t sid;
    bool has_deadline;
    Deadlines::iterator deadline;
  };

  void fail_pings(ErrorCode code, FeedWriter& writer);
  static void complete(const CallTarget& target, const Completion& completion, FeedWriter& writer);
  static void complete_call(const CallTarget& target, CompletionKind kind, ErrorCode code,
                            FeedWriter& writer);

  const size_t requests_max_;
  std::string inbox_;
  std::unordered_map<uint64_t, Request> requests_;
  std::deque<Ping> pings_;
  Deadlines deadlines_;
  uint64_t last_request_ = 0;
  uint64_t last_ping_ = 0;
  int64_t last_lost_ = 0;  // The number of the last publish that a lost stream had taken.
};

/// A batch of one, by itself.
Batch make_single_batch(const Completion& completion);

}  // namespace martlet::client
