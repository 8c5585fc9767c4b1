// SPDX-License-Identifier: Apache-2.0
//
// Owns the carrying out of one scenario: its servers, connections and subscriptions by name, and
// the steps of tests/parity/README.md.
#pragma once

#include <future>
#include <unordered_map>

#include "parity_client.hpp"

namespace martlet::parity {

/// A server of the scenario: the object, or the URL of the process that run.py has started.
struct Broker {
  std::string url;
  std::optional<cpp::Server> object;
  std::optional<cpp::Queue> log;
};

class Runner {
 public:
  explicit Runner(bool in_process) : in_process_(in_process) {}
  ~Runner();

  /// Carries out a step, `until` included: what it gives. In a handler `message` is the one at
  /// hand.
  json::value give(const json::object& step, const Message* message = nullptr,
                   Client* of_message = nullptr);

 private:
  using Verb = json::value (Runner::*)(const json::object& step);
  static const std::unordered_map<std::string, Verb>& verbs();

  json::value try_once(const json::object& step, const Message* message, Client* of_message);
  json::value server(const json::object& step);
  json::value server_do(const json::object& step);
  json::value server_get(const json::object& step);
  json::value server_log(const json::object& step);
  json::value connect(const json::object& step);
  json::value flush(const json::object& step);
  json::value request(const json::object& step, const Message* message);
  json::value subscribe(const json::object& step);
  json::value next(const json::object& step);
  json::value next_one(const json::object& step, std::string* out_data);
  json::value unsubscribe(const json::object& step);
  json::value drain_subscription(const json::object& step);
  json::value drop(const json::object& step);
  json::value counts(const json::object& step);
  json::value inbox(const json::object& step);
  json::value statistics(const json::object& step);
  json::value state(const json::object& step);
  json::value max_payload(const json::object& step);
  json::value rtt(const json::object& step);
  json::value event(const json::object& step);
  json::value error(const json::object& step);
  json::value drain(const json::object& step);
  json::value close(const json::object& step);
  json::value begin(const json::object& step);
  json::value end(const json::object& step);
  json::value release(const json::object& step);
  json::value publish(const json::object& step, const Message* message, const std::string& subject,
                      Client& client);
  void handle(const json::array& handler, const std::string& name, Log& log, Client& client,
              const Message& message);

  template <typename Thing>
  using Table = std::unordered_map<std::string, std::shared_ptr<Thing>>;
  template <typename Thing>
  std::shared_ptr<Thing> find(const Table<Thing>& table, const std::string& name);
  template <typename Thing>
  void keep(Table<Thing>& table, const std::string& name, std::shared_ptr<Thing> thing);
  std::shared_ptr<Client> client_of(const json::object& step) {
    return find(clients_, text_of(step, "on", "c"));
  }
  std::shared_ptr<Reader> reader_of(const json::object& step) {
    return find(readers_, text_of(step, "on"));
  }
  std::string with_names(std::string text);

  const bool in_process_;
  std::mutex mutex_;  // Of the tables: steps run beside each other.
  std::vector<std::shared_ptr<Broker>> all_brokers_;
  std::vector<std::shared_ptr<Client>> all_clients_;
  Table<Broker> brokers_;
  Table<Client> clients_;
  Table<Reader> readers_;
  Table<Log> logs_;
  Table<Gate> gates_;
  std::unordered_map<std::string, std::string> inboxes_;
  std::unordered_map<std::string, std::future<json::value>> begun_;
};

/// Asks run.py for something of a server process; its answer's URL.
std::string ask(const json::object& request);

}  // namespace martlet::parity
