// SPDX-License-Identifier: Apache-2.0
//
// Owns the reading of a monitoring page's parameters. What cannot be read is refused in the words
// of nats-server.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"

namespace martlet::server {

class MonitoringQuery {
 public:
  /// "a=1&b=x%20y". Of a name that stands there twice the first counts.
  explicit MonitoringQuery(std::string_view text);

  /// Empty when it is not there.
  std::string_view text(std::string_view name) const;
  /// False when it is not there or empty. The texts that Go takes: 1 t T true TRUE True, 0 f F
  /// false FALSE False.
  Result<bool> flag(std::string_view name) const;
  /// 0 when it is not there or empty.
  Result<int64_t> integer(std::string_view name) const;
  Result<uint64_t> unsigned_integer(std::string_view name) const;

 private:
  std::vector<std::pair<std::string, std::string>> values_;
};

}  // namespace martlet::server
