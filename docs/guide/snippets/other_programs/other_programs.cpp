// SPDX-License-Identifier: Apache-2.0
#include <martlet/cpp/connection.hpp>
#include <martlet/cpp/queue.hpp>
#include <martlet/cpp/server.hpp>
#include <martlet/cpp/subscription.hpp>

#include <iostream>
#include <string>

namespace cpp = martlet::cpp;

int main() {
  // guide: begin
  const std::string credentials = R"("user": "ann", "password": "secret")";
  cpp::Server server("{" + credentials + "}");
  server.start();
  cpp::Connection inside(server.get(), "{" + credentials + "}", nullptr, 0);
  inside.connect(-1);
  cpp::Queue queue;
  cpp::Subscription greetings(inside.get(), "greet", "", "", queue.get(), 0);
  inside.flush(5000);  // The broker knows of the subscription.

  // Any client of NATS, in any program: here one of ours, over TCP.
  const std::string url = R"({"url": ")" + server.url() + R"(", )" + credentials + "}";
  cpp::Connection outside(url, nullptr, 0);
  outside.connect(-1);
  outside.publish({.subject = "greet", .data = "hello"});
  cpp::Batch batch;
  if (queue.poll(1, 5000, batch) != MARTLET_OK) return 1;
  std::cout << "from outside: " << batch.data(batch.at(0)) << "\n";

  try {
    cpp::Connection(server.url(), nullptr, 0).connect(-1);
  } catch (const cpp::Error& error) {
    if (error.status() != MARTLET_ERR_AUTHORIZATION) throw;
    std::cout << "refused without a password\n";
  }
  // guide: end
}
