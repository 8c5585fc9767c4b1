// SPDX-License-Identifier: Apache-2.0
//
// Owns the rule of when published bytes are written, and by whom.
#include "client/outgoing_buffer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/assert.hpp"
#include "client/connection.hpp"

namespace martlet::client {
namespace {

constexpr int32_t direct_writes_max = 8;  // In one window.
constexpr int64_t window_ns = ns_per_ms;
constexpr size_t usual_bytes_max =
    1024 * 1024;  // A buffer above this is given back when it is empty and idle.
constexpr int write_rounds_max =
    8;  // After so many another thread's publishes are left to the loop.

// The bytes of the operation at the start of `operations`; all of them if it is cut.
size_t operation_bytes(std::string_view operations, bool* out_is_publish) {
  const size_t line_end = operations.find("\r\n");
  *out_is_publish = false;
  if (line_end == std::string_view::npos) return operations.size();
  size_t bytes = line_end + 2;
  *out_is_publish = operations.starts_with("PUB ") || operations.starts_with("HPUB ");
  if (*out_is_publish) {
    const size_t space = operations.rfind(' ', line_end);
    size_t payload = 0;
    std::from_chars(operations.data() + space + 1, operations.data() + line_end, payload);
    bytes += payload + 2;
  }
  return std::min(bytes, operations.size());
}

}  // namespace

// --- ByteBuffer ---

char* ByteBuffer::grow(size_t bytes) {
  const size_t wanted =
      std::max({size_ + bytes, capacity_ * 2, OutgoingBuffer::gather_bytes + 4096});
  void* const grown = std::realloc(data_, wanted);
  if (grown == nullptr) return nullptr;
  data_ = static_cast<char*>(grown);
  capacity_ = wanted;
  return data_ + size_;
}

bool ByteBuffer::append(std::string_view text) {
  if (text.empty()) return true;
  char* const to = reserve(text.size());
  if (to == nullptr) return false;
  std::memcpy(to, text.data(), text.size());
  size_ += text.size();
  return true;
}

void ByteBuffer::swap(ByteBuffer& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  std::swap(capacity_, other.capacity_);
}

void ByteBuffer::clear() {
  const bool was_used = size_ >= capacity_ / 8;
  size_ = 0;
  if (!was_used) give_back();
}

void ByteBuffer::give_back() {
  if (size_ > 0 || capacity_ <= usual_bytes_max) return;
  std::free(data_);
  data_ = nullptr;
  capacity_ = 0;
}

// --- any thread ---

Status OutgoingBuffer::refuse(int64_t bytes) const {
  switch (mode_) {
    case Mode::connected:
      break;
    case Mode::draining:
      return Status(ErrorCode::draining, "the connection drains: nothing new is published");
    case Mode::closed:
      return Status(ErrorCode::closed, "the connection is closed");
    case Mode::disconnected:
      if (pending_locked() + bytes <= limits_.reconnect_buffer_bytes_max) return Status();
      return Status(
          ErrorCode::disconnected,
          fmt::format("there is no connection, and the reconnect buffer ({} bytes) is full",
                      limits_.reconnect_buffer_bytes_max));
  }
  // A message larger than the bound is taken when nothing else waits.
  if (pending_locked() == 0 || pending_locked() + bytes <= limits_.pending_bytes_max)
    return Status();
  return Status(ErrorCode::again, "");
}

Status OutgoingBuffer::publish(const PublishView& m, IdleRule rule, bool at_once,
                               FlushNeed* out_need, int64_t* out_number) {
  const size_t payload = m.headers.size() + m.data.size();
  const size_t bytes_max = m.subject.size() + m.reply.size() + payload + line_numbers_bytes_max;
  std::unique_lock<std::mutex> lock(mutex_);
  const bool is_repeated = last_line_.is_of(m);
  if (!is_repeated) {
    Status status = check_subjects(m);
    if (!status) return status;
  }
  if (mode_ != Mode::connected ||
      pending_locked() + static_cast<int64_t>(bytes_max) > limits_.pending_bytes_max) {
    Status status = refuse(static_cast<int64_t>(bytes_max));
    if (!status) return status;
  }
  char* const start = front_.reserve(bytes_max);
  if (start == nullptr)
    return Status(ErrorCode::out_of_memory, "no memory for the outgoing buffer");
  char* to = start;
  if (is_repeated) {
    to = last_line_.put(to);
  } else {
    to = put_publish_line(to, m);
    last_line_.keep(std::string_view(start, static_cast<size_t>(to - start)), m);
  }
  if (!m.headers.empty()) to = put(to, m.headers);
  if (!m.data.empty()) to = put(to, m.data);
  *to++ = '\r';
  *to++ = '\n';
  front_.commit(static_cast<size_t>(to - start));
  ++out_messages_;
  if (out_number != nullptr) *out_number = out_messages_;
  out_bytes_ += static_cast<int64_t>(payload);
  *out_need = after_append(lock, rule, at_once);
  return Status();
}

FlushNeed OutgoingBuffer::control(std::string_view text, bool at_once) {
  std::unique_lock<std::mutex> lock(mutex_);
  return control_locked(lock, text, at_once);
}

FlushNeed OutgoingBuffer::pong() {
  std::unique_lock<std::mutex> lock(mutex_);
  if (blocked_ && pong_waits_) return FlushNeed::none;
  pong_waits_ = true;
  return control_locked(lock, "PONG\r\n", false);
}

FlushNeed OutgoingBuffer::control_locked(std::unique_lock<std::mutex>& lock, std::string_view text,
                                         bool at_once) {
  if (stream_ == nullptr || broken_) return FlushNeed::none;
  if (pending_locked() > limits_.pending_bytes_max + control_bytes_max || !front_.append(text)) {
    broken_ = true;
    return FlushNeed::now;
  }
  if (at_once) return after_append(lock, IdleRule::write, true);
  if (asked_ && asked_until_ns_ == 0) return FlushNeed::none;
  asked_ = true;
  asked_until_ns_ = 0;
  return FlushNeed::now;
}

// Decides who writes what was just appended.
FlushNeed OutgoingBuffer::after_append(std::unique_lock<std::mutex>& lock, IdleRule rule,
                                       bool at_once) {
  if (stream_ == nullptr || writing_ || broken_) return FlushNeed::none;
  // Nobody watches the stream where the publisher writes by himself: it may take more by now.
  if (rule == IdleRule::write) blocked_ = false;
  if (blocked_) return FlushNeed::none;
  if (front_.size() >= gather_bytes) {
    // Whoever publishes so much has no need of the few small writes that follow a pause.
    window_start_ns_ = clock_.monotonic_ns();
    window_writes_ = direct_writes_max;
    return write_locked(lock, AskRule::stands);
  }
  if (at_once || rule == IdleRule::write) return write_locked(lock, AskRule::stands);
  if (asked_ || rule == IdleRule::gather) return FlushNeed::none;
  const int64_t now = clock_.monotonic_ns();
  if (now - window_start_ns_ > window_ns) {
    window_start_ns_ = now;
    window_writes_ = 0;
  }
  if (window_writes_ < direct_writes_max) {
    ++window_writes_;
    return write_locked(lock, AskRule::stands);
  }
  const bool is_asked_now = rule == IdleRule::write_few_then_ask_now;
  asked_until_ns_ = is_asked_now ? 0 : now + window_ns;
  asked_ = true;
  if (rule == IdleRule::write_few_then_wait) return FlushNeed::none;
  return is_asked_now ? FlushNeed::now : FlushNeed::soon;
}

FlushNeed OutgoingBuffer::write_pending() {
  std::unique_lock<std::mutex> lock(mutex_);
  if (stream_ != nullptr && broken_) return FlushNeed::now;
  if (writing_) asked_until_ns_ = 0;  // The writer does what was asked for.
  if (stream_ == nullptr || writing_ || blocked_) return FlushNeed::none;
  return write_locked(lock, AskRule::is_met);
}

// Writes until nothing waits or the stream takes no more. The lock is not held while the stream
// writes.
FlushNeed OutgoingBuffer::write_locked(std::unique_lock<std::mutex>& lock, AskRule ask_rule) {
  writing_ = true;
  FlushNeed need = FlushNeed::none;
  for (int round = 0;; ++round) {
    if (back_written_ == back_.size()) {
      back_.clear();
      back_written_ = 0;
      if (front_.size() == 0) {
        // Who was asked for a later time comes then, and need not be woken again before.
        const bool stands = ask_rule == AskRule::stands && asked_ && asked_until_ns_ > 0 &&
                            asked_until_ns_ > clock_.monotonic_ns();
        asked_ = stands;
        if (ask_rule == AskRule::is_met) front_.give_back();
        break;
      }
      if (round >= write_rounds_max) {
        need = FlushNeed::now;
        asked_ = true;
        asked_until_ns_ = 0;
        break;
      }
      front_.swap(back_);
      pong_waits_ = false;
    }
    transport::ByteStream* const stream = stream_;
    const io::IoSlice slice{back_.data() + back_written_, back_.size() - back_written_};
    lock.unlock();
    const transport::StreamResult result = stream->write(&slice, 1);
    lock.lock();
    if (result.state == transport::StreamState::ok) {
      back_written_ += result.bytes;
      continue;
    }
    const bool waits = result.state == transport::StreamState::want_write ||
                       result.state == transport::StreamState::want_read;
    (waits ? blocked_ : broken_) = true;
    need = FlushNeed::now;
    break;
  }
  writing_ = false;
  write_ended_.notify_all();
  return need;
}

bool OutgoingBuffer::has_room(int64_t message_bytes) const {
  std::lock_guard<std::mutex> lock(mutex_);
  if (mode_ == Mode::closed || mode_ == Mode::draining) return true;  // Waiting would not help.
  return refuse(std::clamp<int64_t>(message_bytes, 0, INT64_MAX / 2) + 64).is_ok();
}

OutgoingBuffer::Mode OutgoingBuffer::mode() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return mode_;
}

int64_t OutgoingBuffer::pending_bytes() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return pending_locked();
}

int64_t OutgoingBuffer::messages() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return out_messages_;
}

void OutgoingBuffer::count(int64_t* out_messages, int64_t* out_bytes) const {
  std::lock_guard<std::mutex> lock(mutex_);
  *out_messages = out_messages_;
  *out_bytes = out_bytes_;
}

// --- who turns the loop ---

FlushNeed OutgoingBuffer::connect(transport::ByteStream* stream, std::string_view preamble) {
  std::unique_lock<std::mutex> lock(mutex_);
  MARTLET_ASSERT(!writing_ && back_.size() == back_written_);
  back_.clear();
  back_written_ = 0;
  back_.append(preamble);
  stream_ = stream;
  blocked_ = broken_ = pong_waits_ = false;
  if (mode_ == Mode::disconnected) mode_ = Mode::connected;
  return write_locked(lock, AskRule::is_met);
}

int64_t OutgoingBuffer::disconnect() {
  std::unique_lock<std::mutex> lock(mutex_);
  write_ended_.wait(lock, [this] { return !writing_; });
  stream_ = nullptr;
  blocked_ = broken_ = asked_ = false;
  if (mode_ == Mode::connected) mode_ = Mode::disconnected;
  // The operation that was cut by the last write is lost; whole ones behind it are kept.
  std::string kept;
  int64_t kept_count = 0;
  if (back_.size() > back_written_) {
    const std::string_view all(back_.data(), back_.size());
    size_t at = 0;
    for (bool ignored = false; at < back_written_;) at += operation_bytes(all.substr(at), &ignored);
    if (at < all.size()) kept = keep_publishes(all.substr(at), &kept_count);
  }
  back_.clear();
  back_written_ = 0;
  kept += keep_publishes(std::string_view(front_.data(), front_.size()), &kept_count);
  front_.clear();
  front_.append(kept);
  return out_messages_ - kept_count;
}

void OutgoingBuffer::set_draining() {
  std::lock_guard<std::mutex> lock(mutex_);
  if (mode_ != Mode::closed) mode_ = Mode::draining;
}

void OutgoingBuffer::close() {
  disconnect();
  std::lock_guard<std::mutex> lock(mutex_);
  mode_ = Mode::closed;
  front_.clear();
  front_.give_back();
  back_.give_back();
}

OutgoingBuffer::Look OutgoingBuffer::look() const {
  std::lock_guard<std::mutex> lock(mutex_);
  Look look{-1, blocked_, broken_};
  if (!asked_ || stream_ == nullptr || blocked_ || broken_) return look;
  look.wanted_in_ns =
      asked_until_ns_ == 0 ? 0 : std::max<int64_t>(0, asked_until_ns_ - clock_.monotonic_ns());
  // Who writes at this moment takes all that waits, or asks again.
  if (look.wanted_in_ns == 0 && writing_) look.wanted_in_ns = -1;
  return look;
}

void OutgoingBuffer::on_writable() {
  std::unique_lock<std::mutex> lock(mutex_);
  if (!blocked_ || stream_ == nullptr || writing_) return;
  blocked_ = false;
  write_locked(lock, AskRule::stands);
}

std::string keep_publishes(std::string_view operations, int64_t* out_count) {
  std::string kept;
  while (!operations.empty()) {
    bool is_publish = false;
    const size_t bytes = operation_bytes(operations, &is_publish);
    if (is_publish) {
      kept.append(operations.substr(0, bytes));
      ++*out_count;
    }
    operations.remove_prefix(bytes);
  }
  return kept;
}

}  // namespace martlet::client
