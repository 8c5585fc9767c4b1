// SPDX-License-Identifier: Apache-2.0
#include <martlet/cpp/connection.hpp>
#include <martlet/cpp/queue.hpp>
#include <martlet/cpp/server.hpp>
#include <martlet/cpp/subscription.hpp>

#include <iostream>
#include <string_view>

namespace cpp = martlet::cpp;

// guide: begin
// Messages come in batches, until the subscription's last word.
void print_all(cpp::Queue& queue, std::string_view label) {
  for (cpp::Batch batch; queue.poll(100, 5000, batch) == MARTLET_OK;) {
    for (int32_t i = 0; i < batch.count(); ++i) {
      const martlet_descriptor& message = batch.at(i);
      if (message.kind == MARTLET_KIND_SUBSCRIPTION_END) return;
      std::cout << label << batch.subject(message) << " " << batch.data(message) << "\n";
    }
  }
}

int main() {
  cpp::Server server;
  server.start();
  cpp::Connection connection(server.get(), "", nullptr, 0);
  connection.connect(-1);
  cpp::Queue queue;

  // * stands for one word. This subscription ends by itself after two messages.
  cpp::Subscription arrivals(connection.get(), "flight.*.JFK", "", "", queue.get(), 0);
  arrivals.auto_unsubscribe(2);
  connection.publish({.subject = "flight.AA.JFK", .data = "on time"});
  connection.publish({.subject = "flight.AA.LAX", .data = "early"});
  connection.publish({.subject = "flight.UA.JFK", .data = "late"});
  print_all(queue, "to JFK: ");

  // > stands for all that follows. This one ends in order: what was sent before still comes.
  cpp::Subscription carrier(connection.get(), "flight.AA.>", "", "", queue.get(), 0);
  connection.publish({.subject = "flight.AA.JFK.gate", .data = "B22"});
  connection.publish({.subject = "flight.UA.JFK.gate", .data = "C9"});
  connection.publish({.subject = "flight.AA.LAX", .data = "landed"});
  carrier.drain();
  print_all(queue, "of AA: ");
}
// guide: end
