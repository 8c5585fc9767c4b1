// SPDX-License-Identifier: Apache-2.0
//
// Owns the interface of a stream of bytes that never blocks: TCP and the in-process pipe now, TLS
// and WebSocket later. It answers how much it took, or that it wants to read or to write first;
// nothing above it knows which stream it is.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "base/result.hpp"
#include "io/io_slice.hpp"

namespace martlet::io {
class Loop;
}

namespace martlet::transport {

enum class StreamState : uint8_t {
  ok,          // `bytes` were moved (more than 0).
  want_read,   // Nothing was moved: wait until the stream is readable, also for a write.
  want_write,  // Nothing was moved: wait until the stream is writable, also for a read.
  closed,      // The peer ended the stream in order.
  failed,      // The stream is broken; `error_number` is the system's.
};

struct StreamResult {
  StreamState state = StreamState::ok;
  size_t bytes = 0;
  int error_number = 0;
};

/// Gets told that a stream is worth another try. Called on the thread of the loop that it is
/// attached to.
class StreamHandler {
 public:
  virtual void on_stream_ready(bool readable, bool writable) = 0;

 protected:
  ~StreamHandler() = default;
};

/// Lifecycle: made by a connector or listener, attached to one loop, closed by its destructor. One
/// thread.
class ByteStream {
 public:
  virtual ~ByteStream() = default;

  virtual StreamResult read(char* buffer, size_t bytes_max) = 0;
  virtual StreamResult write(const io::IoSlice* slices, int count) = 0;

  /// From now on `handler` is called while what it is interested in is possible (level-triggered).
  virtual Status attach(io::Loop& loop, StreamHandler& handler) = 0;
  virtual void detach() = 0;
  virtual Status set_interest(bool read, bool write) = 0;

  /// "127.0.0.1:4222" of the other side, or "pipe" for the in-process link.
  virtual const std::string& peer_host() const = 0;
  virtual uint16_t peer_port() const = 0;
  /// The descriptor beneath, for a caller who waits on it; -1 where there is none.
  virtual int descriptor() const { return -1; }

  /// Does what the loop does when descriptor() is readable: for a caller who waited on it himself.
  /// Attached only.
  virtual void on_descriptor_readable() {}

  /// What it holds in this process beside itself: bytes, at most.
  virtual int64_t memory_bytes() const { return 0; }

  /// Whether write() may run on one thread while read() runs on another. Never two writes at once.
  virtual bool can_write_beside_read() const { return false; }
  /// True: the reader asks read() again and again instead of sleeping, so the other side need not
  /// wake it.
  virtual void set_spinning(bool) {}
};

}  // namespace martlet::transport
