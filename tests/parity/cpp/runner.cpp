// SPDX-License-Identifier: Apache-2.0
//
// Owns the steps of a scenario in C++. Promises that every wait is bounded.
#include "runner.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <iostream>

namespace martlet::parity {
namespace {

json::object chosen(const std::string& text, const json::object& step) {
  const json::value all = json::parse(text);
  json::object out;
  for (const json::value& key : step.at("keys").as_array()) {
    out[key.as_string()] = all.at(key.as_string());
  }
  return out;
}

std::string options_of(const json::object& step, json::object fixed = {}) {
  if (const json::value* const given = step.if_contains("options")) {
    for (const json::key_value_pair& option : given->as_object()) {
      fixed[option.key()] = option.value();
    }
  }
  return json::serialize(fixed);
}

std::string data_of(const json::value& message) {
  const json::object* const object = message.if_object();
  return object == nullptr ? std::string() : std::string(object->at("data").as_string());
}

}  // namespace

std::string ask(const json::object& request) {
  std::cout << json::serialize(request) << std::endl;
  std::string line;
  std::getline(std::cin, line);
  const json::value answer = json::parse(line.empty() ? R"({"error": "no answer"})" : line);
  if (const json::value* const error = answer.as_object().if_contains("error")) {
    std::cerr << "no server: " << error->as_string() << std::endl;
    std::_Exit(1);
  }
  return text_of(answer.as_object(), "url");
}

Runner::~Runner() {
  for (auto& begun : begun_) {
    if (begun.second.valid()) begun.second.wait();
  }
  for (const std::shared_ptr<Client>& client : all_clients_) client->connection.close();
  for (auto& gate : gates_) gate.second->open();
  readers_.clear();
  clients_.clear();
  all_clients_.clear();
  brokers_.clear();
  all_brokers_.clear();
  if (!in_process_) ask({{"do", "end"}});
}

template <typename Thing>
std::shared_ptr<Thing> Runner::find(const Table<Thing>& table, const std::string& name) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto found = table.find(name);
  if (found == table.end()) throw std::runtime_error("the scenario has no " + name);
  return found->second;
}

template <typename Thing>
void Runner::keep(Table<Thing>& table, const std::string& name, std::shared_ptr<Thing> thing) {
  const std::lock_guard<std::mutex> lock(mutex_);
  table[name] = std::move(thing);
}

std::string Runner::with_names(std::string text) {
  const std::lock_guard<std::mutex> lock(mutex_);
  for (const auto& inbox : inboxes_) text = replaced(text, "{" + inbox.first + "}", inbox.second);
  for (const auto& broker : brokers_) {
    const std::string address = replaced(broker.second->url, "nats://", "");
    text = replaced(text, "{" + broker.first + "}", address);
  }
  return text;
}

const std::unordered_map<std::string, Runner::Verb>& Runner::verbs() {
  static const std::unordered_map<std::string, Verb> verbs = {
      {"server", &Runner::server},
      {"server_do", &Runner::server_do},
      {"server_get", &Runner::server_get},
      {"server_log", &Runner::server_log},
      {"connect", &Runner::connect},
      {"flush", &Runner::flush},
      {"subscribe", &Runner::subscribe},
      {"next", &Runner::next},
      {"unsubscribe", &Runner::unsubscribe},
      {"drain_subscription", &Runner::drain_subscription},
      {"drop", &Runner::drop},
      {"counts", &Runner::counts},
      {"inbox", &Runner::inbox},
      {"statistics", &Runner::statistics},
      {"state", &Runner::state},
      {"max_payload", &Runner::max_payload},
      {"rtt", &Runner::rtt},
      {"event", &Runner::event},
      {"error", &Runner::error},
      {"drain", &Runner::drain},
      {"close", &Runner::close},
      {"begin", &Runner::begin},
      {"end", &Runner::end},
      {"release", &Runner::release},
  };
  return verbs;
}

json::value Runner::give(const json::object& step, const Message* message, Client* of_message) {
  const json::value* const wanted = step.if_contains("until");
  json::value given = try_once(step, message, of_message);
  for (int tries = 0; wanted != nullptr && given != *wanted && tries < 500; ++tries) {
    std::this_thread::sleep_for(Milliseconds(20));
    given = try_once(step, message, of_message);
  }
  return given;
}

json::value Runner::try_once(const json::object& step, const Message* message, Client* of_message) {
  const std::string verb = text_of(step, "do");
  try {
    if (verb == "throw") throw Thrown();
    if (verb == "publish") {
      return publish(step, message, with_names(text_of(step, "subject")), *client_of(step));
    }
    if (verb == "respond") return publish(step, message, message->reply, *of_message);
    if (verb == "request") return request(step, message);
    const auto found = verbs().find(verb);
    if (found == verbs().end()) throw std::runtime_error("there is no step " + verb);
    return (this->*found->second)(step);
  } catch (const cpp::Error& error) {
    return json::value(name_of(error.status()));
  } catch (const std::exception& error) {
    return json::value(std::string("EXCEPTION ") + error.what());
  }
}

json::value Runner::server(const json::object& step) {
  auto broker = std::make_shared<Broker>();
  const std::string name = text_of(step, "as", "server");
  if (in_process_) {
    const bool is_config = step.contains("config");
    broker->object.emplace(is_config ? text_of(step, "config")
                                     : options_of(step, {{"listen", false}}));
    if (step.contains("log")) {
      broker->log.emplace();
      broker->object->set_log(broker->log->get(), 0, MARTLET_LOG_INFO);
    }
    broker->object->start();
    broker->url = broker->object->url();
  } else {
    json::object request = step;
    request["as"] = name;
    broker->url = ask(request);
  }
  all_brokers_.push_back(broker);
  keep(brokers_, name, broker);
  return "OK";
}

json::value Runner::server_do(const json::object& step) {
  const std::string name = text_of(step, "on", "server");
  const std::string what = text_of(step, "what");
  if (!in_process_) {
    ask({{"do", what}, {"on", name}});
  } else if (what == "stop") {
    find(brokers_, name)->object->stop();
  } else {
    find(brokers_, name)->object->start();
  }
  return "OK";
}

json::value Runner::server_get(const json::object& step) {
  const std::shared_ptr<Broker> broker = find(brokers_, text_of(step, "on", "server"));
  const std::string what = text_of(step, "what");
  if (what == "statistics") return chosen(broker->object->statistics(), step);
  if (what == "port") return broker->object->client_port() > 0;
  std::string url = broker->object->url();
  if (!url.empty()) url = url.substr(0, url.rfind(':')) + ":PORT";
  return json::value(url);
}

json::value Runner::server_log(const json::object& step) {
  const std::shared_ptr<Broker> broker = find(brokers_, text_of(step, "on", "server"));
  const std::string has = text_of(step, "has");
  cpp::Batch batch;
  while (broker->log->poll(1, timeout_of(step), batch) == MARTLET_OK) {
    if (batch.data(batch.at(0)).find(has) != std::string_view::npos) return true;
  }
  return json::value(name_of(MARTLET_ERR_TIMEOUT));
}

json::value Runner::connect(const json::object& step) {
  const std::string to = text_of(step, "to", "server");
  martlet_server* object = nullptr;
  json::object fixed;
  if (const json::value* const urls = step.if_contains("urls")) {
    json::array given;
    for (const json::value& url : urls->as_array()) {
      given.emplace_back(with_names(std::string(url.as_string())));
    }
    fixed["servers"] = std::move(given);
  } else if (in_process_) {
    object = find(brokers_, to)->object->get();
  } else {
    fixed["servers"] = find(brokers_, to)->url;
  }
  auto client = std::make_shared<Client>(object, options_of(step, std::move(fixed)));
  client->connection.connect(-1);
  const std::lock_guard<std::mutex> lock(mutex_);
  all_clients_.push_back(client);
  clients_[text_of(step, "as", "c")] = client;
  return "OK";
}

json::value Runner::publish(const json::object& step, const Message* message,
                            const std::string& subject, Client& client) {
  const std::string reply = with_names(text_of(step, "reply"));
  const std::string headers = header_block_of(step);
  for (int64_t number = 0; number < number_of(step, "count", 1); ++number) {
    const std::string data = payload_of(step, message, number);
    client.publish({subject, reply, headers, data});
  }
  return "OK";
}

json::value Runner::flush(const json::object& step) {
  client_of(step)->connection.flush(timeout_of(step));
  return "OK";
}

json::value Runner::request(const json::object& step, const Message* message) {
  const std::string subject = with_names(text_of(step, "subject"));
  const std::string headers = header_block_of(step);
  const std::string data = payload_of(step, message, 0);
  const cpp::Batch reply =
      client_of(step)->connection.request({subject, {}, headers, data}, timeout_of(step));
  return shown(copy_of(reply, reply.at(0)));
}

json::value Runner::subscribe(const json::object& step) {
  const std::shared_ptr<Client> client = client_of(step);
  const std::string name = text_of(step, "as");
  Reader::Callback callback;
  if (const json::value* const steps = step.if_contains("handler")) {
    const std::string log_name = text_of(step, "into", name);
    auto log = std::make_shared<Log>();
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      log = logs_.emplace(log_name, log).first->second;
      gates_[name] = std::make_shared<Gate>();
    }
    callback = [this, name, log, client = client.get(), handler = steps->as_array()](
                   const Message& message) { handle(handler, name, *log, *client, message); };
  }
  keep(readers_, name,
       client->subscribe(step, with_names(text_of(step, "subject")), std::move(callback)));
  return "OK";
}

void Runner::handle(const json::array& handler, const std::string& name, Log& log, Client& client,
                    const Message& message) {
  log.push(shown(message));
  for (const json::value& entry : handler) {
    const json::object& step = entry.as_object();
    if (text_of(step, "do") == "hold") {
      find(gates_, name)->wait();
      continue;
    }
    json::value given = give(step, &message, &client);
    if (given != "OK") log.push(std::move(given));
  }
}

json::value Runner::next_one(const json::object& step, std::string* out_data) {
  std::shared_ptr<Log> log;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto found = logs_.find(text_of(step, "on"));
    if (found != logs_.end()) log = found->second;
  }
  if (!log) return reader_of(step)->next(timeout_of(step), out_data);
  json::value given =
      log->take(timeout_of(step)).value_or(json::value(name_of(MARTLET_ERR_TIMEOUT)));
  if (out_data != nullptr) *out_data = data_of(given);
  return given;
}

json::value Runner::next(const json::object& step) {
  if (!step.contains("count")) return next_one(step, nullptr);
  json::array all;
  std::string together;
  for (int64_t i = 0; i < number_of(step, "count", 0); ++i) {
    std::string data;
    all.push_back(next_one(step, &data));
    if (!all.back().is_object()) break;
    together.append(data).push_back('\n');
  }
  if (step.contains("digest")) {
    const bool whole = all.empty() || all.back().is_object();
    if (!whole) return all.back();
    return {{"count", static_cast<int64_t>(all.size())}, {"fnv", fnv_text(together)}};
  }
  if (step.contains("sorted")) {
    std::stable_sort(all.begin(), all.end(), [](const json::value& one, const json::value& other) {
      return data_of(one) < data_of(other);
    });
  }
  return all;
}

json::value Runner::unsubscribe(const json::object& step) {
  const int64_t after = number_of(step, "after", 0);
  after > 0 ? reader_of(step)->auto_unsubscribe(after) : reader_of(step)->unsubscribe();
  return "OK";
}

json::value Runner::drain_subscription(const json::object& step) {
  reader_of(step)->drain();
  return "OK";
}

json::value Runner::drop(const json::object& step) {
  const std::shared_ptr<Reader> reader = reader_of(step);
  const std::lock_guard<std::mutex> lock(mutex_);
  readers_.erase(text_of(step, "on"));
  reader->drop();
  return "OK";
}

json::value Runner::counts(const json::object& step) { return reader_of(step)->counts(); }

json::value Runner::inbox(const json::object& step) {
  const std::string inbox = client_of(step)->connection.new_inbox();
  const std::lock_guard<std::mutex> lock(mutex_);
  inboxes_[text_of(step, "as")] = inbox;
  return json::value(inbox.substr(0, inbox.find('.')));
}

json::value Runner::statistics(const json::object& step) {
  return chosen(client_of(step)->connection.statistics(), step);
}

json::value Runner::state(const json::object& step) {
  static const char* const names[] = {"new",          "connecting", "connected",
                                      "reconnecting", "draining",   "closed"};
  return names[client_of(step)->state()];
}

json::value Runner::max_payload(const json::object& step) {
  return client_of(step)->connection.max_payload();
}

json::value Runner::rtt(const json::object& step) {
  return client_of(step)->connection.rtt_ns(timeout_of(step)) > 0;
}

json::value Runner::event(const json::object& step) {
  const std::optional<json::value> found = client_of(step)->events.take(timeout_of(step));
  return found.value_or(json::value(name_of(MARTLET_ERR_TIMEOUT)));
}

json::value Runner::error(const json::object& step) {
  const std::optional<json::value> found = client_of(step)->errors.take_if(
      timeout_of(step), [&step](const json::value& status) { return status == step.at("status"); });
  return json::value(found ? "OK" : name_of(MARTLET_ERR_TIMEOUT));
}

json::value Runner::drain(const json::object& step) {
  const std::shared_ptr<Client> client = client_of(step);
  client->is_in_callback() ? client->drain_later(timeout_of(step))
                           : client->drain(timeout_of(step));
  return "OK";
}

json::value Runner::close(const json::object& step) {
  client_of(step)->connection.close();
  return "OK";
}

json::value Runner::begin(const json::object& step) {
  begun_[text_of(step, "as")] = std::async(
      std::launch::async, [this, inner = step.at("step").as_object()] { return give(inner); });
  return "OK";
}

json::value Runner::end(const json::object& step) {
  std::future<json::value>& begun = begun_.at(text_of(step, "on"));
  const std::chrono::seconds limit(30);
  if (begun.wait_for(limit) != std::future_status::ready) return "EXCEPTION it does not end";
  return begun.get();
}

json::value Runner::release(const json::object& step) {
  find(gates_, text_of(step, "on"))->open();
  return "OK";
}

}  // namespace martlet::parity
