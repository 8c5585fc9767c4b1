// SPDX-License-Identifier: Apache-2.0
#include <martlet/cpp/connection.hpp>
#include <martlet/cpp/queue.hpp>
#include <martlet/cpp/server.hpp>
#include <martlet/cpp/subscription.hpp>

#include <iostream>
#include <string>

namespace cpp = martlet::cpp;

// The number behind a name in a flat JSON object; a program would use its JSON library.
static std::string number(const std::string& json, const std::string& name) {
  const size_t begin = json.find("\"" + name + "\":") + name.size() + 3;
  return json.substr(begin, json.find_first_of(",}", begin) - begin);
}

int main() {
  cpp::Server server;
  server.start();
  cpp::Connection connection(server.get(), "", nullptr, 0);
  connection.connect(-1);
  // guide: begin
  cpp::Queue queue;
  cpp::Subscription ticks(connection.get(), "ticks", "",
                          R"({"messages_max": 3, "full_policy": "drop_oldest"})", queue.get(), 0);
  for (int tick = 0; tick < 10; ++tick) {
    connection.publish({.subject = "ticks", .data = std::to_string(tick)});
  }
  connection.flush(5000);  // All of them have come back by now, and nobody has read.
  const cpp::SubscriptionCounts counts = ticks.counts();
  std::cout << "waiting: " << counts.pending_messages << ", lost: " << counts.dropped_messages
            << "\n";

  std::cout << "read:";
  for (cpp::Batch batch; queue.poll(100, 0, batch) == MARTLET_OK;) {
    for (int32_t i = 0; i < batch.count(); ++i) {
      const martlet_descriptor& message = batch.at(i);
      if (message.kind == MARTLET_KIND_MESSAGE) std::cout << " " << batch.data(message);
    }
  }
  const std::string statistics = server.statistics();  // JSON
  std::cout << "\nthe broker took " << number(statistics, "in_msgs") << " and gave "
            << number(statistics, "out_msgs") << "\n";
  // guide: end
}
