// SPDX-License-Identifier: Apache-2.0
//
// Owns a ConfigSource for tests: files and environment from two maps.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>

#include "server/config_source.hpp"

namespace martlet::server {

class MapConfigSource final : public ConfigSource {
 public:
  std::map<std::string, std::string> files;
  std::map<std::string, std::string> variables;

  Result<std::string> read_file(const std::string& path) const override {
    const auto found = files.find(path);
    if (found == files.end())
      return {ErrorCode::io, "open " + path + ": no such file or directory"};
    return found->second;
  }
  std::optional<std::string> environment(const std::string& name) const override {
    const auto found = variables.find(name);
    if (found == variables.end()) return std::nullopt;
    return found->second;
  }
};

}  // namespace martlet::server
