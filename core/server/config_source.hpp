// SPDX-License-Identifier: Apache-2.0
//
// Owns the way a configuration reaches the outside: the files it includes and the environment that
// its variables name. A text of an embedding program, a test or a fuzzer brings a source of its
// own.
#pragma once

#include <optional>
#include <string>

#include "base/result.hpp"

namespace martlet::server {

class ConfigSource {
 public:
  virtual ~ConfigSource() = default;
  /// The whole file. The error's context reads as the sentence a person gets: `open x: no such file
  /// or directory`.
  virtual Result<std::string> read_file(const std::string& path) const = 0;
  /// The value of an environment variable, if it is set.
  virtual std::optional<std::string> environment(const std::string& name) const = 0;
};

/// Files and environment of this process.
class SystemConfigSource final : public ConfigSource {
 public:
  Result<std::string> read_file(const std::string& path) const override;
  std::optional<std::string> environment(const std::string& name) const override;
};

/// No files and no environment: what an embedded text and the fuzzer see.
class ClosedConfigSource final : public ConfigSource {
 public:
  Result<std::string> read_file(const std::string& path) const override;
  std::optional<std::string> environment(const std::string& name) const override;
};

}  // namespace martlet::server
