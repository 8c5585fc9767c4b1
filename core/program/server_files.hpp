// SPDX-License-Identifier: Apache-2.0
//
// Owns the small files by which a running server is found: the one with its process id, the one
// with its ports.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.hpp"

namespace martlet::program {

/// The number and nothing else. Fails with io and a sentence that names the path.
Status write_pid_file(const std::string& path, int64_t process_id);

/// Where clients and monitoring listen, as URLs.
struct Ports {
  std::vector<std::string> clients;
  std::vector<std::string> monitoring;
};

/// The addresses behind which a listener on `host` is found: itself, or every address of this
/// machine.
std::vector<std::string> listened_hosts(const std::string& host);

/// `{"nats":["nats://127.0.0.1:4222"],"monitoring":[…]}`, as nats-server writes it.
std::string ports_json(const Ports& ports);

/// A file `folder/program_pid.ports`, there as long as this object. It appears whole or not at all.
class PortsFile {
 public:
  static Result<PortsFile> create(const std::string& folder, const std::string& program,
                                  int64_t process_id, const Ports& ports);
  PortsFile(PortsFile&& other) noexcept;
  PortsFile& operator=(PortsFile&& other) = delete;
  ~PortsFile();

  const std::string& path() const { return path_; }

 private:
  explicit PortsFile(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

}  // namespace martlet::program
