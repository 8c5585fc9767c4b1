// SPDX-License-Identifier: Apache-2.0
//
// Owns a server of the outside world for tests: started as a child process on a free port, stopped
// with its owner.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace martlet::test {

class ServerProcess {
 public:
  /// `program` is nats-server, or martlet (then "serve" is put first). Asserts that it starts
  /// within ten seconds.
  ServerProcess(std::string program, std::vector<std::string> arguments);
  ~ServerProcess();
  ServerProcess(const ServerProcess&) = delete;
  ServerProcess& operator=(const ServerProcess&) = delete;

  const std::string& url() const { return url_; }
  int port() const;
  pid_t pid() const { return pid_; }
  void kill();
  /// Again, on the same port.
  void restart();

 private:
  void start(const std::string& port);
  std::string program_;
  std::vector<std::string> arguments_;
  std::string directory_;
  std::string url_;
  pid_t pid_ = -1;
};

}  // namespace martlet::test
