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

// guide: begin
// Events of a connection come through a queue too.
bool comes(cpp::Queue& events, int32_t kind) {
  for (cpp::Batch batch; events.poll(1, 30'000, batch) == MARTLET_OK;) {
    if (batch.at(0).kind == kind) return true;
  }
  return false;
}

int main() {
  cpp::Server server;
  server.start();
  cpp::Queue events, queue;
  cpp::Connection connection(server.get(), R"({"reconnect_wait_ms": 50})", events.get(), 0);
  connection.connect(-1);
  cpp::Subscription news(connection.get(), "news", "", "", queue.get(), 0);

  server.stop();
  if (comes(events, MARTLET_KIND_DISCONNECTED)) std::cout << "connection lost\n";
  connection.publish({.subject = "news", .data = "sent meanwhile"});  // Waits in a buffer.
  server.start();
  if (comes(events, MARTLET_KIND_RECONNECTED)) std::cout << "connected again\n";
  cpp::Batch batch;
  if (queue.poll(1, 5000, batch) != MARTLET_OK) return 1;
  std::cout << "news: " << batch.data(batch.at(0)) << "\n";
  std::cout << "reconnects: " << number(connection.statistics(), "reconnects") << "\n";
}
// guide: end
