// SPDX-License-Identifier: Apache-2.0
#include <martlet/cpp/connection.hpp>
#include <martlet/cpp/queue.hpp>
#include <martlet/cpp/server.hpp>
#include <martlet/cpp/subscription.hpp>

#include <iostream>
#include <set>
#include <string>

namespace cpp = martlet::cpp;

static void print(const char* who, const std::multiset<std::string>& jobs) {
  std::cout << who;
  for (const std::string& job : jobs) std::cout << " " << job;
  std::cout << "\n";
}

int main() {
  cpp::Server server;
  server.start();
  cpp::Connection connection(server.get(), "", nullptr, 0);
  connection.connect(-1);
  // guide: begin
  // One queue serves any number of subscriptions; the cookie tells whose a message is.
  constexpr int64_t WORKER = 1, AUDIT = 2;
  cpp::Queue queue;
  cpp::Subscription first(connection.get(), "jobs", "workers", "", queue.get(), WORKER);
  cpp::Subscription second(connection.get(), "jobs", "workers", "", queue.get(), WORKER);
  cpp::Subscription audit(connection.get(), "jobs", "", "", queue.get(), AUDIT);
  for (int number = 0; number < 6; ++number) {
    connection.publish({.subject = "jobs", .data = std::to_string(number)});
  }
  connection.drain(5000);

  std::multiset<std::string> done, seen;
  for (cpp::Batch batch; queue.poll(100, 0, batch) == MARTLET_OK;) {
    for (int32_t i = 0; i < batch.count(); ++i) {
      const martlet_descriptor& message = batch.at(i);
      if (message.kind != MARTLET_KIND_MESSAGE) continue;
      (message.cookie == WORKER ? done : seen).emplace(batch.data(message));
    }
  }
  print("workers did:", done);
  print("audit saw:", seen);
  // guide: end
}
