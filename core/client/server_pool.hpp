// SPDX-License-Identifier: Apache-2.0
//
// Owns the list of servers that a connection may use: those that were given, those that servers
// told of, how often each has failed, and whose turn it is. Time and chance are arguments.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.hpp"
#include "client/server_url.hpp"

namespace martlet::client {

struct PoolServer {
  ServerUrl url;
  bool discovered = false;
  int64_t failures = 0;       // In a row.
  int64_t attempted_ns = -1;  // When it was dialled last; below 0: never.
};

class ServerPool {
 public:
  /// Servers that were told of, beside those that were given.
  static constexpr size_t discovered_max = 1024;

  ServerPool(std::vector<ServerUrl> servers, bool randomize, Random& random);

  bool is_empty() const { return servers_.empty(); }
  size_t size() const { return servers_.size(); }
  /// Whose turn it is. The pool must not be empty.
  PoolServer& current() { return servers_[index_]; }
  const std::vector<PoolServer>& servers() const { return servers_; }

  /// The turn goes to the next. True when the round through the pool is over.
  bool advance();
  /// The current one has failed: counts, and removes it when it has failed `failures_max` times in
  /// a row (below 0: never). Then the turn goes to the next; true when the round is over.
  bool note_failure(int64_t failures_max);
  /// The current one is dialled now.
  void note_attempt(int64_t now_ns) { servers_[index_].attempted_ns = now_ns; }
  /// How long the current one is to be left alone still, if it may be dialled once in `wait_ns`.
  int64_t rest_ns(int64_t now_ns, int64_t wait_ns) const {
    const int64_t attempted_ns = servers_[index_].attempted_ns;
    return attempted_ns < 0 ? 0 : std::max<int64_t>(0, attempted_ns + wait_ns - now_ns);
  }
  void note_success() { servers_[index_].failures = 0; }
  /// A new round begins behind the current one.
  void begin_round() { round_left_ = servers_.size(); }

  /// Takes over what a server told: new ones are added at random places among the discovered ones,
  /// discovered ones that are not told of any more go, except the current one. Of a longer list the
  /// first `discovered_max` are taken. Answers the new ones.
  std::vector<std::string> set_discovered(const std::vector<std::string>& addresses, bool randomize,
                                          Random& random);

 private:
  std::vector<PoolServer> servers_;
  size_t index_ = 0;
  size_t round_left_ = 0;
};

}  // namespace martlet::client
