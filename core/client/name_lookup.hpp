// SPDX-License-Identifier: Apache-2.0
//
// Owns the looking up of host names for one connection, off its loop: the system's resolver blocks
// for seconds when no name server answers, and cannot be interrupted. Each lookup has a thread for
// as long as it takes; an answer that nobody waits for any more is dropped. Addresses need none of
// this: io::resolve() answers at once for them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "io/loop.hpp"
#include "io/socket.hpp"

namespace martlet::client {

class NameLookupOwner {
 public:
  /// On the loop.
  virtual void on_looked_up(Result<std::vector<io::Address>> addresses) = 0;

 protected:
  ~NameLookupOwner() = default;
};

/// Lifecycle: start, then the owner's call, then start again; or cancel at any time. Everything on
/// the loop, the destructor excepted, after which no thread touches the loop. A lookup that is
/// under way then ends by itself, on a thread that was let go: see docs/adr/0016.
class NameLookup {
 public:
  using Resolver =
      std::function<Result<std::vector<io::Address>>(std::string_view host, uint16_t port)>;
  /// Of lookups that were given up and have not ended: then the next one is refused, or names that
  /// nobody answers for would gather threads.
  static constexpr size_t running_max = 4;

  NameLookup(io::Loop& loop, NameLookupOwner& owner, Resolver resolver = io::resolve)
      : loop_(loop), owner_(owner), resolver_(std::move(resolver)) {}
  ~NameLookup();
  NameLookup(const NameLookup&) = delete;
  NameLookup& operator=(const NameLookup&) = delete;

  /// Fails with limit_reached (see running_max) or as io::start_thread does, and then the owner is
  /// not called.
  Status start(const std::string& host, uint16_t port);
  void cancel();
  bool is_looking() const { return current_ != nullptr; }

 private:
  struct Running;
  static void run(const std::shared_ptr<Running>& running, const Resolver& resolver);
  void deliver(const std::shared_ptr<Running>& running);
  void forget_ended();

  io::Loop& loop_;
  NameLookupOwner& owner_;
  const Resolver resolver_;
  std::shared_ptr<Running> current_;               // Shared with its thread.
  std::vector<std::shared_ptr<Running>> running_;  // current_ too.
};

}  // namespace martlet::client
