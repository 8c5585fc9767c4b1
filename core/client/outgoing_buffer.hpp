// SPDX-License-Identifier: Apache-2.0
//
// Owns the bytes that a connection has to say: copied in by any thread, bounded, written by whoever
// is best placed, one writer at a time. While there is no connection it is the reconnect buffer.
// Knows the byte stream, and no loops.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "client/publish_line.hpp"
#include "transport/byte_stream.hpp"

namespace martlet::client {

/// Bytes that grow at the end, without initialising what is about to be written.
class ByteBuffer {
 public:
  ByteBuffer() = default;
  ~ByteBuffer() { std::free(data_); }
  ByteBuffer(const ByteBuffer&) = delete;
  ByteBuffer& operator=(const ByteBuffer&) = delete;

  /// Room for `bytes` more; null when there is no memory. commit() says how many were used.
  char* reserve(size_t bytes) { return size_ + bytes <= capacity_ ? data_ + size_ : grow(bytes); }
  void commit(size_t bytes) { size_ += bytes; }
  bool append(std::string_view text);
  void swap(ByteBuffer& other) noexcept;
  /// Empties; gives memory back when it is far above what is usual and hardly any of it was used:
  /// while much is published the next pages are warm.
  void clear();
  /// Gives memory above what is usual back if nothing is in it.
  void give_back();
  const char* data() const { return data_; }
  size_t size() const { return size_; }
  size_t capacity() const { return capacity_; }

 private:
  char* grow(size_t bytes);
  char* data_ = nullptr;
  size_t size_ = 0;
  size_t capacity_ = 0;
};

/// What the caller of an append has to do next, outside the buffer's lock.
enum class FlushNeed : uint8_t {
  none,  // Written, or somebody is on the way.
  soon,  // Ask who turns the loop to come within a millisecond.
  now,   // Ask who turns the loop to come at once: the socket does not take more, or is broken.
};

class OutgoingBuffer {
 public:
  static constexpr size_t gather_bytes = 64 * 1024;
  static constexpr int64_t control_bytes_max = 16 * 1024 * 1024;  // Above the bound of publishes.

  enum class Mode : uint8_t { disconnected, connected, draining, closed };
  /// How a publish that finds the buffer idle is treated.
  enum class IdleRule : uint8_t {
    write_few_then_ask,      // A few a millisecond are written by the publisher, then somebody is
                             // asked to come within one.
    write_few_then_ask_now,  // As that, asked to come at once: a lent loop has no timer of its own.
    write_few_then_wait,     // As that, nobody is asked: the program promised to come.
    write,                   // Nobody would come: written at once.
    gather,                  // The program promised to come.
  };

  struct Limits {
    int64_t pending_bytes_max;
    int64_t reconnect_buffer_bytes_max;
  };

  OutgoingBuffer(const Clock& clock, const Limits& limits) : clock_(clock), limits_(limits) {}

  // --- any thread ---

  /// Copies a message in, unless its subjects may not be published to. `at_once`: written by the
  /// caller now, as far as the stream takes it.
  /// `out_number`, if asked for: how many publishes this buffer has taken with it.
  Status publish(const PublishView& message, IdleRule rule, bool at_once, FlushNeed* out_need,
                 int64_t* out_number = nullptr);
  /// A line of our own (SUB, UNSUB, PING …): never refused, and dropped while there is no
  /// connection. Where they pile up far above the bound the stream counts as broken: a new one is
  /// told what stands at that time.
  FlushNeed control(std::string_view text, bool at_once);
  /// A PONG. While the stream takes nothing one is enough, however many PINGs came.
  FlushNeed pong();
  /// Writes all that waits, as far as the stream takes it.
  FlushNeed write_pending();
  /// Whether a message of so many bytes would be taken.
  bool has_room(int64_t message_bytes) const;
  Mode mode() const;
  int64_t pending_bytes() const;
  /// How many were taken, ever.
  int64_t messages() const;
  void count(int64_t* out_messages, int64_t* out_bytes) const;

  // --- who turns the loop ---

  /// A new connection: `preamble` (subscriptions) goes first, then what was published meanwhile.
  FlushNeed connect(transport::ByteStream* stream, std::string_view preamble);
  /// The stream is about to go. Waits for a write under way, keeps whole publishes that were not
  /// written. Answers the number of the last publish that was written, or lost.
  int64_t disconnect();
  void set_draining();
  void close();
  struct Look {
    int64_t wanted_in_ns;  // For how long a write can wait still; 0: none; below 0: nobody was
                           // asked to come.
    bool is_blocked;       // The stream wants to be watched for writing.
    bool is_broken;
  };
  Look look() const;
  void on_writable();

 private:
  Status refuse(int64_t bytes) const;
  FlushNeed control_locked(std::unique_lock<std::mutex>& lock, std::string_view text, bool at_once);
  FlushNeed after_append(std::unique_lock<std::mutex>& lock, IdleRule rule, bool at_once);
  /// What a write that leaves nothing behind means for an earlier request to come.
  enum class AskRule : uint8_t {
    is_met,  // It was what was asked for.
    stands,  // Whoever was asked for a time still comes then: no publish before need ask again.
  };
  FlushNeed write_locked(std::unique_lock<std::mutex>& lock, AskRule ask_rule);
  int64_t pending_locked() const {
    return static_cast<int64_t>(front_.size() + back_.size() - back_written_);
  }

  const Clock& clock_;
  const Limits limits_;
  mutable std::mutex mutex_;
  std::condition_variable write_ended_;
  ByteBuffer front_;  // GUARDED_BY mutex_; being filled. Begins at the start of an operation.
  ByteBuffer back_;   // GUARDED_BY mutex_; being written, by who set writing_.
  size_t back_written_ = 0;                  // GUARDED_BY mutex_
  LastPublishLine last_line_;                // GUARDED_BY mutex_
  transport::ByteStream* stream_ = nullptr;  // GUARDED_BY mutex_
  Mode mode_ = Mode::disconnected;           // GUARDED_BY mutex_
  bool writing_ = false;                     // GUARDED_BY mutex_
  bool blocked_ = false;                     // GUARDED_BY mutex_; the stream took nothing more.
  bool broken_ = false;                      // GUARDED_BY mutex_; a write failed.
  bool pong_waits_ = false;                  // GUARDED_BY mutex_; in front_.
  bool asked_ = false;                       // GUARDED_BY mutex_; somebody was asked to come.
  int64_t asked_until_ns_ = 0;               // GUARDED_BY mutex_
  int64_t window_start_ns_ =
      0;  // GUARDED_BY mutex_; the millisecond in which direct writes are counted.
  int32_t window_writes_ = 0;  // GUARDED_BY mutex_
  int64_t out_messages_ = 0;   // GUARDED_BY mutex_
  int64_t out_bytes_ = 0;      // GUARDED_BY mutex_
};

/// The publishes among `operations`, which begin and end between two operations; how many they are
/// is added to `out_count`.
std::string keep_publishes(std::string_view operations, int64_t* out_count);

}  // namespace martlet::client
