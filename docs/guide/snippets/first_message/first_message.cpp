// SPDX-License-Identifier: Apache-2.0
// guide: begin
#include <martlet/cpp/connection.hpp>
#include <martlet/cpp/queue.hpp>
#include <martlet/cpp/server.hpp>
#include <martlet/cpp/subscription.hpp>

#include <iostream>

namespace cpp = martlet::cpp;

int main() {
  cpp::Server server;
  server.start();
  cpp::Connection connection(server.get(), "", nullptr, 0);
  connection.connect(-1);

  cpp::Queue queue;
  cpp::Subscription greetings(connection.get(), "greet.*", "", "", queue.get(), 0);
  connection.publish({.subject = "greet.world", .data = "hello"});
  cpp::Batch batch;
  if (queue.poll(1, 5000, batch) != MARTLET_OK) return 1;
  const martlet_descriptor& message = batch.at(0);
  std::cout << batch.subject(message) << ": " << batch.data(message) << "\n";
}
// guide: end
