// SPDX-License-Identifier: Apache-2.0
#include <martlet/cpp/connection.hpp>
#include <martlet/cpp/queue.hpp>
#include <martlet/cpp/server.hpp>
#include <martlet/cpp/subscription.hpp>

#include <functional>
#include <iostream>
#include <string>
#include <string_view>
#include <thread>

namespace cpp = martlet::cpp;

// guide: begin
// Answers until the queue is closed.
void serve(cpp::Connection& connection, cpp::Queue& queue) {
  for (cpp::Batch batch; queue.poll(1, -1, batch) == MARTLET_OK;) {
    const martlet_descriptor& request = batch.at(0);
    const std::string answer = "hello " + std::string(batch.data(request));
    connection.publish({.subject = batch.reply(request), .data = answer});
  }
}

void ask(cpp::Connection& connection, std::string_view subject, int32_t timeout_ms) {
  try {
    const cpp::Batch batch = connection.request({.subject = subject, .data = "Ann"}, timeout_ms);
    std::cout << "answer: " << batch.data(batch.at(0)) << "\n";
  } catch (const cpp::Error& error) {
    if (error.status() == MARTLET_ERR_NO_RESPONDERS) {
      std::cout << "nobody listens\n";
    } else if (error.status() == MARTLET_ERR_TIMEOUT) {
      std::cout << "no answer in time\n";
    } else {
      throw;
    }
  }
}

int main() {
  cpp::Server server;
  server.start();
  cpp::Connection connection(server.get(), "", nullptr, 0);
  connection.connect(-1);

  cpp::Queue requests, unread;
  cpp::Subscription greeter(connection.get(), "greet", "", "", requests.get(), 0);
  cpp::Subscription silent(connection.get(), "silence", "", "", unread.get(), 0);
  std::thread service(serve, std::ref(connection), std::ref(requests));
  ask(connection, "greet", 5000);
  ask(connection, "nobody", 5000);
  ask(connection, "silence", 50);
  requests.close();
  service.join();
}
// guide: end
