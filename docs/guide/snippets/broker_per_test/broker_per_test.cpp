// SPDX-License-Identifier: Apache-2.0
#include <martlet/cpp/connection.hpp>
#include <martlet/cpp/queue.hpp>
#include <martlet/cpp/server.hpp>
#include <martlet/cpp/subscription.hpp>

#include <iostream>
#include <stdexcept>
#include <string>

namespace cpp = martlet::cpp;

// Stands in for a test framework's.
static void expect(bool is_so) {
  if (!is_so) throw std::runtime_error("not so");
}

// guide: begin
// A value on the stack of each test, or a member of a GoogleTest fixture.
struct Broker {
  Broker() {
    server.start();
    connection.connect(-1);
  }
  cpp::Server server;
  cpp::Connection connection{server.get(), "", nullptr, 0};
};

void a_greeting_arrives() {
  Broker broker;
  cpp::Queue queue;
  cpp::Subscription greetings(broker.connection.get(), "greet.*", "", "", queue.get(), 0);
  broker.connection.publish({.subject = "greet.world", .data = "hello"});
  cpp::Batch batch;
  expect(queue.poll(1, 5000, batch) == MARTLET_OK);
  expect(batch.data(batch.at(0)) == "hello");
}

void each_test_has_a_broker_of_its_own() {
  Broker broker;
  expect(broker.server.statistics().find("\"in_msgs\":0") != std::string::npos);
}
// guide: end

int main() {
  int passed = 0, failed = 0;
  for (void (*test)() : {a_greeting_arrives, each_test_has_a_broker_of_its_own}) {
    try {
      test();
      ++passed;
    } catch (const std::exception& error) {
      std::cerr << error.what() << "\n";
      ++failed;
    }
  }
  std::cout << passed << " passed, " << failed << " failed\n";
}
