// SPDX-License-Identifier: Apache-2.0
//
// Owns the order of servers.
#include "client/server_pool.hpp"

#include <algorithm>

namespace martlet::client {

ServerPool::ServerPool(std::vector<ServerUrl> servers, bool randomize, Random& random) {
  for (ServerUrl& url : servers) servers_.push_back(PoolServer{std::move(url), false});
  if (randomize) {
    for (size_t i = servers_.size(); i > 1; --i) {
      std::swap(servers_[i - 1], servers_[random.below(static_cast<uint32_t>(i))]);
    }
  }
  begin_round();
}

bool ServerPool::advance() {
  if (!servers_.empty()) index_ = (index_ + 1) % servers_.size();
  if (round_left_ > 0) --round_left_;
  if (round_left_ > 0) return false;
  begin_round();
  return true;
}

bool ServerPool::note_failure(int64_t failures_max) {
  PoolServer& failed = servers_[index_];
  ++failed.failures;
  if (failures_max < 0 || failed.failures < failures_max) return advance();
  servers_.erase(servers_.begin() + static_cast<ptrdiff_t>(index_));
  if (index_ >= servers_.size()) index_ = 0;
  if (round_left_ > 0) --round_left_;
  if (round_left_ > 0 && !servers_.empty()) return false;
  begin_round();
  return true;
}

std::vector<std::string> ServerPool::set_discovered(const std::vector<std::string>& addresses,
                                                    bool randomize, Random& random) {
  std::vector<ServerUrl> told;
  for (const std::string& address : addresses) {
    if (told.size() == discovered_max) break;
    Result<ServerUrl> url = parse_server_url(address);
    if (url) told.push_back(std::move(*url));  // What cannot be parsed cannot be used.
  }
  const auto is_told = [&told](const PoolServer& server) {
    return std::any_of(told.begin(), told.end(),
                       [&](const ServerUrl& url) { return url.is_same_server(server.url); });
  };
  for (size_t i = 0; i < servers_.size();) {
    if (servers_[i].discovered && i != index_ && !is_told(servers_[i])) {
      servers_.erase(servers_.begin() + static_cast<ptrdiff_t>(i));
      if (index_ > i) --index_;
    } else {
      ++i;
    }
  }
  std::vector<std::string> added;
  for (ServerUrl& url : told) {
    const bool known = std::any_of(servers_.begin(), servers_.end(), [&](const PoolServer& server) {
      return server.url.is_same_server(url);
    });
    if (known) continue;
    added.push_back(url.text());
    size_t place = servers_.size();
    if (randomize && place > index_ + 1) {
      place = index_ + 1 + random.below(static_cast<uint32_t>(place - index_));
    }
    servers_.insert(servers_.begin() + static_cast<ptrdiff_t>(place),
                    PoolServer{std::move(url), true});
    ++round_left_;
  }
  return added;
}

}  // namespace martlet::client
