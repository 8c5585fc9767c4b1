// SPDX-License-Identifier: Apache-2.0
//
// Owns the way from readable bytes to operations, and from output to written bytes.
#include "net/connection.hpp"

#include <algorithm>
#include <cstring>
#include <iterator>

#include "base/out_of_memory.hpp"
#include "net/worker.hpp"
#include "transport/tcp_stream.hpp"

namespace martlet::net {
namespace {

static_assert(sizeof(Connection) + sizeof(transport::TcpStream) <= Connection::charge_bytes);

constexpr int slices_max = 64;
constexpr int64_t first_ping_ns = 2'000'000'000;

}  // namespace

Connection::Connection(Worker& worker, std::unique_ptr<transport::ByteStream> stream,
                       broker::SessionSetup setup)
    : worker_(worker),
      stream_(std::move(stream)),
      session_(worker.shard(), *this, std::move(setup)),
      ping_timer_([](void* self) { static_cast<Connection*>(self)->on_ping_timer(); }, this),
      write_timer_([](void* self) { static_cast<Connection*>(self)->on_write_deadline(); }, this),
      pending_(worker.shard().chunks()),
      start_wall_ns_(worker.loop().clock().wall_ns()) {
  worker_.shard().budget().add(stream_->memory_bytes());
}

Connection::~Connection() {
  if (is_congested_) worker_.congested_count_ -= 1;
  if (is_stalled_) std::erase(worker_.stalled_, this);
  if (is_postponed_) std::erase(worker_.postponed_, this);
  stream_->detach();
  worker_.shard().budget().remove(stream_->memory_bytes());
}

template <typename Work>
void Connection::contain(Work&& work) {
  if (fits_into_memory(work)) return;
  session_.on_out_of_memory();
  if (is_finishing_) worker_.connection_done(*this);
}

Status Connection::start() {
  Status status = stream_->attach(worker_.loop(), *this);
  if (!status) return status;
  session_.start(worker_.loop().now_ns());
  if (session_.options().auth_required) {
    worker_.loop().start_timer(ping_timer_, session_.options().auth_timeout_ns);
  } else {
    start_ping_timer();
  }
  return stream_->set_interest(true, false);
}

// Before CONNECT a client is asked after the whole interval; the first time after it soon, with a
// little chance in it so that many clients that came together are not asked together.
void Connection::start_ping_timer() {
  const int64_t interval = session_.options().ping_interval_ns;
  int64_t delay = interval;
  if (saw_connect_ && interval > first_ping_ns) {
    delay = first_ping_ns + static_cast<int64_t>(worker_.shard().random().below(first_ping_ns / 5));
  }
  worker_.loop().start_timer(ping_timer_, delay);
}

void Connection::on_ping_timer() {
  contain([this] {
    if (session_.awaits_connect()) {
      session_.on_auth_timeout();
      return;
    }
    session_.on_ping_timer(worker_.loop().now_ns());
    worker_.loop().start_timer(ping_timer_, session_.options().ping_interval_ns);
  });
}

void Connection::on_write_deadline() {
  if (is_finishing_) {
    worker_.connection_done(*this);
  } else if (!session_.is_closing()) {
    worker_.shard().statistics().slow_consumers += 1;
    contain([this] { session_.on_write_deadline(); });
  }
  session_.output().clear();
}

bool Connection::finish() {
  flush();
  keep_borrowed();
  worker_.loop().stop_timer(ping_timer_);
  if (session_.output().is_empty()) return true;
  is_finishing_ = true;
  update_interest();  // Nothing is read any more.
  worker_.loop().start_timer(write_timer_, last_words_ns);
  return false;
}

void Connection::on_stream_ready(bool readable, bool writable) {
  contain([&] { do_what_is_ready(readable, writable); });
}

void Connection::do_what_is_ready(bool readable, bool writable) {
  if (is_finishing_) {
    if (writable || write_wants_read_) flush();
    if (session_.output().is_empty()) worker_.connection_done(*this);
    return;
  }
  if (session_.is_closing()) return;
  if (writable && (wants_write_ || read_wants_write_)) {
    const bool read_waited = read_wants_write_;
    read_wants_write_ = false;
    flush();
    if (session_.is_closing()) return;
    if (read_waited) update_interest();
    readable = readable || read_waited;
  }
  if (readable && write_wants_read_) flush();
  if (readable && !is_stalled_ && !has_rest_ && !session_.is_waiting()) read_some();
}

char* Connection::read_space(size_t& bytes_max) {
  if (pending_.size() > prefix_bytes_max) {
    // A large payload is read to where it will be sent from. Memory follows what has arrived, not
    // what was announced.
    const size_t have = pending_.size();
    // How long a line will be is not known: one byte more is needed, and as much again is what it
    // is read by.
    const size_t wanted = needed_ > have + 1 ? needed_ : have * 2;
    const size_t capacity = std::min(wanted, std::max(have * 2, pending_growth_min));
    // The last byte of a payload looks like one of a line: it has its room already.
    const size_t room_min = std::min<size_t>(needed_ - have, 4096);
    if (pending_.capacity() - have < room_min && pending_.capacity() < capacity) {
      if (!may_hold_more(capacity - pending_.capacity())) return nullptr;
      pending_.reserve(capacity, wanted);
    }
    bytes_max = std::min({wanted - have, pending_.capacity() - have, Worker::read_bytes_max});
    return pending_.data() + have;
  }
  if (Worker::arena_bytes - worker_.arena_used_ < Worker::read_bytes_min + pending_.size())
    worker_.recycle_arena();
  char* space = worker_.arena_.get() + worker_.arena_used_;
  if (pending_.size() > 0) std::memcpy(space, pending_.data(), pending_.size());
  bytes_max =
      std::min(Worker::read_bytes_max, Worker::arena_bytes - worker_.arena_used_ - pending_.size());
  return space + pending_.size();
}

// Where memory comes to its end consumers that are behind go. A large payload waits for that, and
// when it has waited in vain its connection ends.
bool Connection::may_hold_more(size_t bytes) {
  const bool may = worker_.shard().budget().has_room(static_cast<int64_t>(bytes));
  const int64_t now_ns = worker_.loop().now_ns();
  if (may) {
    waits_for_room_ = false;
  } else if (!waits_for_room_ || now_ns - waits_since_ns_ < room_wait_max_ns) {
    if (!waits_for_room_) waits_since_ns_ = now_ns;
    waits_for_room_ = true;
    worker_.end_furthest_behind();
    stall();
  } else {
    session_.on_out_of_memory();
  }
  return may;
}

void Connection::read_some() {
  const bool in_pending = pending_.size() > prefix_bytes_max;
  const size_t have = pending_.size();
  size_t bytes_max = 0;
  char* space = read_space(bytes_max);
  if (space == nullptr) return;
  const transport::StreamResult result = stream_->read(space, bytes_max);
  if (in_pending) pending_.set_size(have + result.bytes);
  switch (result.state) {
    case transport::StreamState::ok:
      break;
    case transport::StreamState::want_read:
      return;
    case transport::StreamState::want_write:
      read_wants_write_ = true;
      update_interest();
      return;
    case transport::StreamState::closed:
      on_stream_end(broker::CloseReason::client_closed);
      return;
    case transport::StreamState::failed:
      on_stream_end(broker::CloseReason::read_error);
      return;
  }
  if (in_pending) {
    if (pending_.size() < needed_) return;
    go_on_with_rest();
    return;
  }
  const char* begin = space - have;
  const size_t bytes = have + result.bytes;
  pending_.clear();
  worker_.arena_used_ += bytes;
  parse(begin, begin + bytes);
}

void Connection::parse(const char* begin, const char* end) {
  protocol::Operation operation;
  protocol::Parser& parser = session_.parser();
  broker::Shard& shard = worker_.shard();
  const int64_t now_ns = worker_.loop().now_ns();
  shard.begin_share(deliveries_per_turn);
  const char* look_at = begin;
  while (begin < end) {
    if (begin >= look_at) look_at = look_ahead(begin, end);
    size_t consumed = 0;
    size_t needed = 0;
    const protocol::ParseResult result = parser.next(begin, end, operation, consumed, needed);
    if (result == protocol::ParseResult::operation) {
      begin += consumed;
      session_.on_operation(operation, now_ns);
      if (session_.is_closing()) return;
      if (session_.is_waiting()) {
        keep_rest(begin, end);
        update_interest();
        return;
      }
      if (!shard.share_is_spent()) continue;
      keep_rest(begin, end);
      break;
    }
    if (result == protocol::ParseResult::incomplete) {
      if (operation.awaits_payload) session_.on_control_line(operation);
      keep_tail(begin + consumed, end, needed);
      break;
    }
    if (operation.awaits_payload) session_.on_control_line(operation);
    session_.on_parse_error(result, operation, {begin, static_cast<size_t>(end - begin)});
    return;
  }
  if (!saw_connect_ && session_.is_connected()) {
    saw_connect_ = true;
    start_ping_timer();
  }
  const bool outran_a_receiver = shard.take_stall() && session_.options().stalls_producers;
  if (outran_a_receiver || worker_.must_slow_producers()) stall();
  if (wants_turn()) worker_.postpone(*this);
}

// Publishes to many subjects wait for memory, one after the other; here they wait for it together.
// Where the next look is wanted.
const char* Connection::look_ahead(const char* begin, const char* end) {
  if (!worker_.shard().misses_routes())
    return begin + std::min<ptrdiff_t>(end - begin, look_interval_bytes);
  std::string_view subjects[subject::SubscriptionTrie::prefetch_max];
  size_t count = 0;
  const char* at = begin;
  while (count < std::size(subjects) && at < end) {
    const char* const next = protocol::peek_publish(at, end, subjects[count]);
    if (next == nullptr) break;
    count += 1;
    at = next;
  }
  if (count == 0) return begin + 1;  // Behind whatever this is.
  worker_.shard().prefetch_routes(session_.account(), subjects, count);
  return at;
}

void Connection::keep_tail(const char* begin, const char* end, size_t needed) {
  needed_ = needed;
  if (begin == end) {
    pending_.free();
    return;
  }
  const size_t bytes = static_cast<size_t>(end - begin);
  if (bytes > prefix_bytes_max && worker_.shard().budget().slow_consumers_must_go()) {
    worker_.end_furthest_behind();
    if (worker_.shard().budget().slow_consumers_must_go()) {
      session_.on_out_of_memory();
      return;
    }
  }
  pending_.assign({begin, bytes}, bytes > prefix_bytes_max ? needed : 0);
}

// Until it has been acted on nothing more is read, so that it stays in order and does not grow.
void Connection::keep_rest(const char* begin, const char* end) {
  keep_tail(begin, end, 0);
  has_rest_ = begin != end;
}

void Connection::go_on_with_rest() {
  has_rest_ = false;
  const std::string_view whole = pending_.lend();
  parse(whole.data(), whole.data() + whole.size());
}

void Connection::take_turn() {
  if (wants_turn()) contain([this] { go_on_with_rest(); });
}

void Connection::on_slow_authentication() {
  const auto authenticator = session_.setup().authenticator;
  const protocol::ConnectOptions& connect = session_.connect_options();
  const auth::Credentials credentials{connect.user, connect.password, connect.token};
  Worker& worker = worker_;
  const uint64_t id = session_.id();
  worker_.setup_.run_slow([authenticator, credentials, &worker, id] {
    const std::shared_ptr<const auth::Principal> principal = authenticator->check(credentials);
    worker.post([&worker, id, principal] {
      // The connection may be gone by now.
      worker.for_each_connection([&](Connection& connection) {
        if (connection.session_.id() != id) return;
        connection.contain([&] { connection.go_on_after_slow_authentication(principal); });
      });
    });
  });
}

void Connection::go_on_after_slow_authentication(std::shared_ptr<const auth::Principal> principal) {
  session_.finish_connect(std::move(principal));
  if (session_.is_closing()) return;
  update_interest();
  if (wants_turn()) go_on_with_rest();
}

void Connection::on_stream_end(broker::CloseReason reason) {
  session_.output().clear();
  session_.close(reason);
}

void Connection::stall() {
  if (is_stalled_) return;
  is_stalled_ = true;
  stalled_since_ns_ = worker_.loop().now_ns();
  session_.statistics().stalls += 1;
  worker_.shard().statistics().stalled_producers += 1;
  worker_.stalled_.push_back(this);
  update_interest();
}

void Connection::resume_reading() {
  is_stalled_ = false;
  if (wants_turn()) worker_.postpone(*this);
  contain([this] { update_interest(); });
}

void Connection::update_interest() {
  const bool read =
      (!is_stalled_ && !session_.is_waiting() && !session_.is_closing()) || write_wants_read_;
  Status status =
      stream_->set_interest(read, wants_write_ || (read_wants_write_ && !session_.is_closing()));
  if (!status) session_.on_out_of_memory();
}

void Connection::flush() {
  contain([this] { flush_some(); });
}

void Connection::flush_some() {
  broker::OutputQueue& output = session_.output();
  io::IoSlice slices[slices_max];
  bool wants_write = false;
  write_wants_read_ = false;
  bool moved = false;
  while (!output.is_empty()) {
    const int count = output.gather(slices, slices_max);
    const transport::StreamResult result = stream_->write(slices, count);
    if (result.state == transport::StreamState::ok) {
      output.consume(result.bytes);
      moved = true;
      continue;
    }
    if (result.state == transport::StreamState::want_write) {
      wants_write = true;
    } else if (result.state == transport::StreamState::want_read) {
      write_wants_read_ = true;
    } else {
      on_stream_end(broker::CloseReason::write_error);
    }
    break;
  }
  const bool congested =
      output.pending_bytes() > (is_congested_ ? relieved_bytes : congested_bytes);
  if (congested != is_congested_) {
    is_congested_ = congested;
    worker_.congested_count_ += congested ? 1 : static_cast<size_t>(-1);
  }
  const bool waits = wants_write || write_wants_read_;
  if (is_finishing_) {
    // The time for last words runs once.
  } else if (waits && (moved || !write_timer_.is_running())) {
    worker_.loop().start_timer(write_timer_, session_.options().write_deadline_ns);
  } else if (!waits && write_timer_.is_running()) {
    worker_.loop().stop_timer(write_timer_);
  }
  session_.on_written();
  if (wants_write != wants_write_ || write_wants_read_) {
    wants_write_ = wants_write;
    update_interest();
  }
}

void Connection::keep_borrowed() {
  if (!session_.output().keep_borrowed()) session_.on_out_of_memory();
}

}  // namespace martlet::net
