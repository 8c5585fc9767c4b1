// SPDX-License-Identifier: Apache-2.0
//
// Owns what the tests of the client tools share: a server in this process, and what a command
// printed.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "server/server.hpp"

namespace martlet::program {

/// What a command answered: exit status, standard output, standard error.
struct Ran {
  int status = 0;
  std::string out;
  std::string err;
};

class ClientToolTest : public testing::Test {
 protected:
  using Command = int (*)(const std::string& called_as, const std::vector<std::string>& arguments);

  void SetUp() override {
    server::Options options;
    options.host = "127.0.0.1";
    options.port = -1;
    Result<std::unique_ptr<server::Server>> made =
        server::Server::create(std::move(options), nullptr);
    ASSERT_TRUE(made.is_ok());
    server = std::move(*made);
    ASSERT_TRUE(server->start().is_ok());
  }
  std::vector<std::string> with_server(std::vector<std::string> words) const {
    words.insert(words.begin(), {"-s", server->client_url()});
    return words;
  }
  /// Runs a command whose mistake is told although no server is there.
  static Ran run_without_server(Command command, std::vector<std::string> words) {
    words.insert(words.begin(), {"-s", "127.0.0.1:1"});
    testing::internal::CaptureStderr();
    Ran ran;
    ran.status = command("martlet tool", words);
    ran.err = testing::internal::GetCapturedStderr();
    return ran;
  }
  /// Runs a command on this thread while `beside`, if any, runs on another as soon as there are
  /// `subscriptions`.
  Ran run(Command command, const std::vector<std::string>& words, uint64_t subscriptions = 0,
          const std::function<void()>& beside = {}) {
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    std::thread other([&] {
      if (!beside) return;
      wait_for_subscriptions(subscriptions);
      beside();
    });
    Ran ran;
    ran.status = command("martlet tool", with_server(words));
    other.join();
    ran.out = testing::internal::GetCapturedStdout();
    ran.err = testing::internal::GetCapturedStderr();
    return ran;
  }
  void wait_for_subscriptions(uint64_t count) const {
    for (int i = 0; i < 2000 && server->statistics().subscriptions < count; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  }
  std::unique_ptr<server::Server> server;
};

}  // namespace martlet::program
