// SPDX-License-Identifier: Apache-2.0
//
// Owns how every thread of ours begins: with the host's signals blocked, and with an error instead
// of an exception where it cannot. What the thread does and when it ends is its owner's.
#pragma once

#include <new>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>

#include "base/result.hpp"
#include "io/signal_shield.hpp"

namespace martlet::io {

/// Starts a thread that runs `body` under a SignalShield; the caller's mask stays as it is. Who is
/// answered joins the thread, or lets it go by detach(): a std::thread that is destroyed before
/// either ends the process. So does an exception that leaves `body`, which therefore contains what
/// may fail in it (docs/adr/0015).
///
/// Fails with io when the system has no thread left and with out_of_memory when there is no memory
/// for `body`; then nothing has begun. The error says what the thread was for ("an event loop").
/// Throws std::bad_alloc where there is no memory even for the error (docs/adr/0015).
template <typename Body>
Result<std::thread> start_thread(std::string_view purpose, Body&& body) {
  const SignalShield shield;
  try {
    return std::thread(std::forward<Body>(body));
  } catch (const std::system_error& error) {
    return Error{ErrorCode::io, "no thread for " + std::string(purpose) + ": " + error.what()};
  } catch (const std::bad_alloc&) {
    return Error{ErrorCode::out_of_memory, "no memory for " + std::string(purpose)};
  }
}

}  // namespace martlet::io
