// SPDX-License-Identifier: Apache-2.0
#include <martlet/cpp/connection.hpp>
#include <martlet/cpp/queue.hpp>
#include <martlet/cpp/server.hpp>
#include <martlet/cpp/subscription.hpp>

#include <iostream>
#include <string>

namespace cpp = martlet::cpp;

// guide: begin
int main() {
  cpp::Server server;  // Values end in the reverse order: the server last.
  server.start();
  cpp::Connection reader(server.get(), "", nullptr, 0);
  reader.connect(-1);
  cpp::Queue queue;
  cpp::Subscription jobs(reader.get(), "jobs", "", "", queue.get(), 0);
  reader.flush(5000);
  {
    cpp::Connection sender(server.get(), "", nullptr, 0);
    sender.connect(-1);
    for (const char* job : {"1", "2", "3"}) sender.publish({.subject = "jobs", .data = job});
    sender.flush(5000);  // The end of the block closes at once.
  }

  reader.drain(5000);  // What has come stays in the queue; the connection is closed.
  std::cout << "handled:";
  for (cpp::Batch batch; queue.poll(100, 0, batch) == MARTLET_OK;) {
    for (int32_t i = 0; i < batch.count(); ++i) {
      const martlet_descriptor& message = batch.at(i);
      if (message.kind == MARTLET_KIND_MESSAGE) std::cout << " " << batch.data(message);
    }
  }
  std::cout << "\n";
  try {
    reader.publish({.subject = "jobs", .data = "4"});
  } catch (const cpp::Error& error) {
    if (error.status() != MARTLET_ERR_CLOSED) throw;
    std::cout << "closed: nothing more is taken\n";
  }
}
// guide: end
