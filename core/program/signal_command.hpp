// SPDX-License-Identifier: Apache-2.0
//
// Owns `-sl what[=pid]`: one server process steers another. The processes come through an
// interface, so that a test needs none.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "io/process.hpp"

namespace martlet::program {

class Processes {
 public:
  virtual ~Processes() = default;
  /// Those whose command line begins with these words.
  virtual std::vector<int64_t> called(const std::string& words) const = 0;
  virtual Status send(int64_t pid, io::ProcessSignal signal) const = 0;
  /// The text of a file, when it can be read.
  virtual Result<std::string> read_file(const std::string& path) const = 0;
};

/// The processes of this machine.
class SystemProcesses final : public Processes {
 public:
  std::vector<int64_t> called(const std::string& words) const override;
  Status send(int64_t pid, io::ProcessSignal signal) const override;
  Result<std::string> read_file(const std::string& path) const override;
};

/// `text` is "stop", "term=123", "quit=/run/server.pid" or "reopen=12*". When no one number is
/// given, the processes whose command line begins with `called_as` ("martlet serve") are meant.
/// Fails with a sentence in NATS's words.
Status run_signal_command(const std::string& text, const std::string& called_as,
                          const Processes& processes);

}  // namespace martlet::program
