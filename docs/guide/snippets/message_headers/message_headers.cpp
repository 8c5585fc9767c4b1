// SPDX-License-Identifier: Apache-2.0
#include <martlet/cpp/connection.hpp>
#include <martlet/cpp/queue.hpp>
#include <martlet/cpp/server.hpp>
#include <martlet/cpp/subscription.hpp>

#include <iostream>
#include <string>
#include <string_view>

namespace cpp = martlet::cpp;

// guide: begin
// The values of one header; `block` is as on the wire: a status line, lines, an empty line.
std::string values_of(std::string_view block, std::string_view name) {
  std::string values;
  const std::string begin = "\r\n" + std::string(name) + ": ";
  for (size_t at = block.find(begin); at != block.npos; at = block.find(begin, at + 1)) {
    const size_t value = at + begin.size();
    if (!values.empty()) values += ", ";
    values += block.substr(value, block.find("\r\n", value) - value);
  }
  return values;
}

int main() {
  cpp::Server server;
  server.start();
  cpp::Connection connection(server.get(), "", nullptr, 0);
  connection.connect(-1);
  cpp::Queue queue;
  cpp::Subscription news(connection.get(), "news", "", "", queue.get(), 0);

  const std::string_view headers =
      "NATS/1.0\r\nContent-Type: text/plain\r\nTrace: a\r\nTrace: b\r\n\r\n";
  connection.publish({.subject = "news", .headers = headers, .data = "hello"});
  cpp::Batch batch;
  if (queue.poll(1, 5000, batch) != MARTLET_OK) return 1;
  const std::string_view block = batch.headers(batch.at(0));
  std::cout << "Content-Type: " << values_of(block, "Content-Type") << "\n";
  std::cout << "Trace: " << values_of(block, "Trace") << "\n";
}
// guide: end
