// SPDX-License-Identifier: Apache-2.0
//
// Owns the rings of the in-process stream and the rule by which one end wakes the other.
#include "link/memory_pipe.hpp"

#include <algorithm>
#include <atomic>
#include <bit>
#include <cerrno>
#include <cstring>
#include <new>
#include <optional>

#include "base/assert.hpp"
#include "io/loop.hpp"
#include "io/wake_descriptor.hpp"

namespace martlet::link {
namespace {

using transport::StreamResult;
using transport::StreamState;

constexpr size_t cache_line_bytes = 64;

// One direction: one writer, one reader. Positions only rise. The two "waits" flags are set by the
// side that is about to sleep, which then looks once more; the other side looks at the flag after
// it has moved its position. Both use sequentially consistent operations, so at least one of them
// sees the other.
struct Ring {
  alignas(cache_line_bytes) std::atomic<uint64_t> written{0};
  std::atomic<bool> reader_waits{false};
  alignas(cache_line_bytes) std::atomic<uint64_t> read{0};
  std::atomic<bool> writer_waits{false};
  alignas(cache_line_bytes) std::atomic<bool> writer_gone{false};
  std::atomic<bool> reader_gone{false};
  uint64_t capacity = 0;
  std::unique_ptr<char[]> bytes;

  uint64_t used() const {
    return written.load(std::memory_order_seq_cst) - read.load(std::memory_order_seq_cst);
  }
  uint64_t room() const { return capacity - used(); }
};

// Shared by the two ends, because either may be destroyed while the other is waking it.
struct Shared {
  Shared(io::WakeDescriptor first, io::WakeDescriptor second)
      : wakes{std::move(first), std::move(second)} {}
  Ring rings[2];  // Ring i is written by end i.
  io::WakeDescriptor wakes[2];
};

class PipeEnd final : public transport::ByteStream, private io::FdHandler, private io::SpinTarget {
 public:
  PipeEnd(std::shared_ptr<Shared> shared, int side)
      : shared_(std::move(shared)),
        out_(shared_->rings[side]),
        in_(shared_->rings[1 - side]),
        own_wake_(shared_->wakes[side]),
        peer_wake_(shared_->wakes[1 - side]) {}

  ~PipeEnd() override {
    detach();
    in_.reader_gone.store(true, std::memory_order_seq_cst);
    out_.writer_gone.store(true, std::memory_order_seq_cst);
    peer_wake_.signal();
  }

  StreamResult read(char* buffer, size_t bytes_max) override {
    const uint64_t from = in_.read.load(std::memory_order_relaxed);
    uint64_t available = in_.written.load(std::memory_order_acquire) - from;
    if (available == 0) {
      // The flag of the end is set after the last byte: whoever sees it and still nothing has seen
      // everything.
      const bool gone = in_.writer_gone.load(std::memory_order_seq_cst);
      available = in_.written.load(std::memory_order_seq_cst) - from;
      if (available == 0) {
        if (gone) return {StreamState::closed, 0, 0};
        if (handler_ == nullptr) clear_before_wait();
        if (!spinning_) sleep_until_readable();
        return {StreamState::want_read, 0, 0};
      }
    }
    const size_t count = std::min<uint64_t>(available, bytes_max);
    const uint64_t at = from & (in_.capacity - 1);
    const size_t first = std::min<uint64_t>(count, in_.capacity - at);
    std::memcpy(buffer, in_.bytes.get() + at, first);
    std::memcpy(buffer + first, in_.bytes.get(), count - first);
    in_.read.store(from + count, std::memory_order_seq_cst);
    if (in_.writer_waits.load(std::memory_order_seq_cst) && in_.used() <= in_.capacity / 2 &&
        in_.writer_waits.exchange(false, std::memory_order_seq_cst)) {
      peer_wake_.signal();
    }
    return {StreamState::ok, count, 0};
  }

  StreamResult write(const io::IoSlice* slices, int count) override {
    if (out_.reader_gone.load(std::memory_order_acquire)) return {StreamState::failed, 0, EPIPE};
    const uint64_t start = out_.written.load(std::memory_order_relaxed);
    uint64_t room = out_.capacity - (start - out_.read.load(std::memory_order_acquire));
    uint64_t position = start;
    for (int i = 0; i < count && room > 0; ++i) {
      const size_t bytes = std::min<uint64_t>(slices[i].bytes, room);
      const uint64_t at = position & (out_.capacity - 1);
      const size_t first = std::min<uint64_t>(bytes, out_.capacity - at);
      if (bytes == 0) continue;
      const char* const data = static_cast<const char*>(slices[i].data);
      std::memcpy(out_.bytes.get() + at, data, first);
      std::memcpy(out_.bytes.get(), data + first, bytes - first);
      position += bytes;
      room -= bytes;
    }
    write_blocked_ = position == start;
    if (write_blocked_) {
      sleep_until_writable();
      return {StreamState::want_write, 0, 0};
    }
    out_.written.store(position, std::memory_order_seq_cst);
    if (out_.reader_waits.load(std::memory_order_seq_cst) &&
        out_.reader_waits.exchange(false, std::memory_order_seq_cst)) {
      peer_wake_.signal();
    }
    return {StreamState::ok, static_cast<size_t>(position - start), 0};
  }

  Status attach(io::Loop& loop, transport::StreamHandler& handler) override {
    MARTLET_ASSERT(handler_ == nullptr);
    handler_ = &handler;
    loop_ = &loop;
    watch_.emplace(loop, own_wake_.descriptor(), static_cast<io::FdHandler&>(*this));
    loop.add_spin_target(*this);
    return watch_->set_interest(true, false);
  }

  void detach() override {
    watch_.reset();
    if (loop_ != nullptr) loop_->remove_spin_target(*this);
    loop_ = nullptr;
    handler_ = nullptr;
    wants_read_ = wants_write_ = false;
  }

  Status set_interest(bool read, bool write) override {
    const bool more_read = read && !wants_read_;
    const bool more_write = write && !wants_write_;
    wants_read_ = read;
    wants_write_ = write;
    if (more_read && !spinning_) sleep_until_readable();
    if (more_write) sleep_until_writable();
    return Status();
  }

  const std::string& peer_host() const override { return peer_host_; }
  uint16_t peer_port() const override { return 0; }
  int descriptor() const override { return own_wake_.descriptor(); }
  bool can_write_beside_read() const override { return true; }
  int64_t memory_bytes() const override {
    return static_cast<int64_t>(in_.capacity + out_.capacity);
  }
  void on_descriptor_readable() override { on_fd_ready(true, false); }

  void set_spinning(bool spinning) override {
    spinning_ = spinning;
    if (spinning) {
      in_.reader_waits.store(false, std::memory_order_seq_cst);
    } else if (wants_read_ || handler_ == nullptr) {
      sleep_until_readable();
    }
  }

 private:
  // Asks to be woken; when there is something already, the wake-up is our own.
  void sleep_until_readable() {
    in_.reader_waits.store(true, std::memory_order_seq_cst);
    if (is_readable() && in_.reader_waits.exchange(false, std::memory_order_seq_cst))
      own_wake_.signal();
  }
  void sleep_until_writable() {
    out_.writer_waits.store(true, std::memory_order_seq_cst);
    if (is_writable() && out_.writer_waits.exchange(false, std::memory_order_seq_cst))
      own_wake_.signal();
  }
  // For a caller who waits on descriptor() himself: an old wake-up must not end his next wait.
  void clear_before_wait() {
    own_wake_.clear();
    if (write_blocked_) sleep_until_writable();
  }
  bool is_readable() const {
    return in_.used() > 0 || in_.writer_gone.load(std::memory_order_seq_cst);
  }
  bool is_writable() const {
    return out_.used() <= out_.capacity / 2 || out_.reader_gone.load(std::memory_order_seq_cst);
  }

  void on_fd_ready(bool, bool) override {
    own_wake_.clear();
    const bool readable = wants_read_ && is_readable();
    const bool writable = wants_write_ && (out_.room() > 0 || is_writable());
    if (!readable && !writable) {
      stay_awake_for_interest();
      return;
    }
    // The handler may destroy this end.
    const std::weak_ptr<int> alive = alive_;
    handler_->on_stream_ready(readable, writable);
    if (!alive.expired() && handler_ != nullptr) stay_awake_for_interest();
  }

  void on_spin(bool spinning) override { set_spinning(spinning); }
  bool has_work() const override { return wants_read_ && is_readable(); }
  void on_work() override { handler_->on_stream_ready(true, false); }

  // Level-triggered: what the handler left and still wants wakes the loop again.
  void stay_awake_for_interest() {
    if (wants_read_ && !spinning_) sleep_until_readable();
    if (wants_write_) sleep_until_writable();
  }

  const std::shared_ptr<Shared> shared_;
  Ring& out_;
  Ring& in_;
  const io::WakeDescriptor& own_wake_;
  const io::WakeDescriptor& peer_wake_;
  std::optional<io::FdWatch> watch_;
  io::Loop* loop_ = nullptr;
  transport::StreamHandler* handler_ = nullptr;
  bool wants_read_ = false;
  bool wants_write_ = false;
  bool spinning_ = false;
  bool write_blocked_ = false;  // The last write() moved nothing.
  const std::string peer_host_ = "pipe";
  const std::shared_ptr<int> alive_ = std::make_shared<int>(0);
};

}  // namespace

Result<PipeEnds> make_memory_pipe(const PipeOptions& options) {
  Result<io::WakeDescriptor> first = io::WakeDescriptor::create();
  if (!first) return first.take_error();
  Result<io::WakeDescriptor> second = io::WakeDescriptor::create();
  if (!second) return second.take_error();
  const uint64_t capacity = std::bit_ceil(std::max<uint64_t>(options.ring_bytes, 64));
  std::shared_ptr<Shared> shared = std::make_shared<Shared>(std::move(*first), std::move(*second));
  for (Ring& ring : shared->rings) {
    ring.capacity = capacity;
    ring.bytes.reset(new (std::nothrow) char[capacity]);
    if (ring.bytes == nullptr) {
      return Error{ErrorCode::out_of_memory, "no memory for an in-process connection"};
    }
  }
  PipeEnds ends;
  ends.first = std::make_unique<PipeEnd>(shared, 0);
  ends.second = std::make_unique<PipeEnd>(std::move(shared), 1);
  return ends;
}

}  // namespace martlet::link
