// SPDX-License-Identifier: Apache-2.0
//
// Owns starting and stopping a server process; it learns the port from the ports file that the
// server writes.
#include "tests/client_interop/server_process.hpp"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <thread>

extern char** environ;

namespace martlet::test {

ServerProcess::ServerProcess(std::string program, std::vector<std::string> arguments)
    : program_(std::move(program)), arguments_(std::move(arguments)) {
  char pattern[] = "/tmp/martlet_interop_XXXXXX";
  directory_ = mkdtemp(pattern);
  start("-1");
}

ServerProcess::~ServerProcess() {
  kill();
  std::filesystem::remove_all(directory_);
}

int ServerProcess::port() const { return std::atoi(url_.substr(url_.rfind(':') + 1).c_str()); }

void ServerProcess::start(const std::string& port) {
  std::vector<std::string> words = {program_};
  if (std::filesystem::path(program_).filename() == "martlet") words.push_back("serve");
  for (const char* word : {"-a", "127.0.0.1", "-p"}) words.emplace_back(word);
  words.push_back(port);
  words.emplace_back("--ports_file_dir");
  words.push_back(directory_);
  words.insert(words.end(), arguments_.begin(), arguments_.end());
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
  const int error = posix_spawnp(&pid_, program_.c_str(), &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) {
    std::fprintf(stderr, "cannot start %s\n", program_.c_str());
    std::abort();
  }
  for (int i = 0; i < 1000; ++i) {
    for (const auto& file : std::filesystem::directory_iterator(directory_)) {
      if (file.path().string().find("_" + std::to_string(pid_) + ".ports") == std::string::npos)
        continue;
      std::ifstream in(file.path());
      const std::string text((std::istreambuf_iterator<char>(in)),
                             std::istreambuf_iterator<char>());
      const size_t start = text.find("nats://");
      const size_t end = start == std::string::npos ? start : text.find('"', start);
      if (end == std::string::npos) continue;
      url_ = text.substr(start, end - start);
      return;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  std::fprintf(stderr, "%s wrote no ports file\n", program_.c_str());
  std::abort();
}

void ServerProcess::kill() {
  if (pid_ < 0) return;
  ::kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

void ServerProcess::restart() {
  const std::string same_port = std::to_string(port());
  kill();
  start(same_port);
}

}  // namespace martlet::test
