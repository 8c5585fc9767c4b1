// SPDX-License-Identifier: Apache-2.0
//
// Goal: a server as an object starts, stops and starts again cleanly, leaves nothing behind, and
// keeps accounts and rights that were made in code apart. Method: real servers on free ports, raw
// clients over TCP and in the process.
#include "server/server.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

#include "broker/subscription_store.hpp"
#include "net/connection.hpp"
#include "test_client.hpp"

namespace martlet::server {
namespace {

size_t count_entries(const char* folder) {
  size_t count = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(folder)) count += 1;
  return count;
}

size_t descriptor_count() { return count_entries("/proc/self/fd"); }
size_t thread_count() { return count_entries("/proc/self/task"); }

TEST(Server, serves_clients_over_tcp_and_in_the_process_together) {
  const std::unique_ptr<Server> server = start_server(local_options());
  EXPECT_NE(server->client_port(), 0);
  EXPECT_EQ(server->client_url(), "nats://127.0.0.1:" + std::to_string(server->client_port()));
  const auto tcp = TestClient::tcp(server->client_port());
  const auto inside = TestClient::in_process(*server->connector());
  tcp->connect();
  inside->connect();
  inside->send("SUB foo 1\r\n");
  inside->sync();
  tcp->send("PUB foo 5\r\nhello\r\n");
  inside->read_until("MSG foo 1 5\r\nhello\r\n");
  const Statistics sum = server->statistics();
  EXPECT_EQ(sum.connections, 2U);
  EXPECT_EQ(sum.total_connections, 2U);
  EXPECT_EQ(sum.subscriptions, 1U);
  EXPECT_EQ(sum.moved.in_msgs, 1U);
  EXPECT_EQ(sum.moved.out_bytes, 5U);
}

TEST(Server, too_few_descriptors_are_an_error_from_which_it_recovers) {
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  Options options = local_options();
  options.loops = 2;
  options.http_port = -1;
  Result<std::unique_ptr<Server>> server = Server::create(std::move(options), nullptr);
  ASSERT_TRUE(server);
  const size_t open_before = descriptor_count();
  size_t refused = 0;
  bool is_started = false;
  for (rlim_t limit = open_before; limit < open_before + 80 && !is_started; limit++) {
    const rlimit bound{limit, before.rlim_max};
    ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &bound), 0);
    const Status status = (*server)->start();
    ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
    is_started = status.is_ok();
    if (is_started) continue;
    EXPECT_EQ(status.code(), ErrorCode::io) << status.error().context;
    EXPECT_EQ(descriptor_count(), open_before);
    refused += 1;
  }
  EXPECT_TRUE(is_started);
  EXPECT_GT(refused, 3U);
  TestClient::tcp((*server)->client_port())->connect();
  EXPECT_TRUE((*server)->stop().is_ok());
  EXPECT_EQ(descriptor_count(), open_before);
}

// The threads of this process that would take SIGTERM.
size_t threads_open_to_signals() {
  size_t count = 0;
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
    std::ifstream status(task.path() / "status");
    for (std::string line; std::getline(status, line);) {
      if (line.starts_with("SigBlk:"))
        count += (std::stoull(line.substr(7), nullptr, 16) >> (SIGTERM - 1) & 1) == 0;
    }
  }
  return count;
}

TEST(Server, none_of_its_threads_takes_the_hosts_signals) {
  const size_t open_before = threads_open_to_signals();
  ASSERT_GE(open_before, 1U);
  const size_t threads_before = thread_count();
  Options options = local_options();
  options.loops = 2;
  options.http_port = -1;
  // A bcrypt one: checked on a thread of its own.
  options.auth.token = "$2a$04$abcdefghijklmnopqrstuuC7CIVsFxKQDuX5TN0Z7xqUIU9v5T2r.";
  const std::unique_ptr<Server> server = start_server(std::move(options));
  const auto client = TestClient::tcp(server->client_port());
  client->send("CONNECT {\"auth_token\":\"x\"}\r\n");
  client->read_until("-ERR 'Authorization Violation'\r\n");
  EXPECT_GE(thread_count(), threads_before + 4);
  EXPECT_EQ(threads_open_to_signals(), open_before);
}

TEST(Server, counts_what_connections_moved_after_they_are_gone) {
  Options options = local_options();
  options.loops = 2;
  const std::unique_ptr<Server> server = start_server(std::move(options));
  for (int i = 0; i < 4; i++) {
    const auto client = TestClient::tcp(server->client_port());
    client->connect();
    client->send("PUB foo 3\r\nabc\r\n");
    client->sync();
  }
  EXPECT_EQ(server->statistics().moved.in_msgs, 4U);
  EXPECT_EQ(server->statistics().moved.in_bytes, 12U);
  EXPECT_EQ(server->statistics().total_connections, 4U);
}

TEST(Server, statistics_are_json_with_the_names_of_varz) {
  const std::unique_ptr<Server> server = start_server(local_options());
  const std::string text = server->statistics_json();
  EXPECT_EQ(text.find("{\"uptime_ns\":"), 0U) << text;
  for (const char* name :
       {"connections", "total_connections", "in_msgs", "in_bytes", "out_msgs", "out_bytes",
        "slow_consumers", "stale_connections", "stalled_clients", "subscriptions"}) {
    EXPECT_NE(text.find("\"" + std::string(name) + "\":0"), std::string::npos)
        << name << " in " << text;
  }
}

// INFO, and what comes behind it: the PONG of a client that was let in.
std::string second_line(TestClient& client) {
  client.send("CONNECT {\"verbose\":false}\r\nPING\r\n");
  (void)client.read_until("\r\n");
  return client.read_until("\r\n");
}

TEST(Server, max_memory_counts_what_a_connection_takes) {
  Options options = local_options();
  options.max_memory = 256 * 1024;
  options.max_closed_clients = 0;
  const std::unique_ptr<Server> server = start_server(options);
  const int64_t newcomers_bytes_max = options.max_memory / 100 * 80;
  std::vector<std::unique_ptr<TestClient>> clients;
  std::string said;
  for (;;) {
    clients.push_back(TestClient::tcp(server->client_port()));
    said = second_line(*clients.back());
    if (said != "PONG\r\n" || clients.size() > 400) break;
  }
  EXPECT_EQ(said, "-ERR 'maximum connections exceeded'\r\n");
  const auto count = static_cast<int64_t>(clients.size());
  EXPECT_LE((count - 1) * net::Connection::charge_bytes, newcomers_bytes_max);
  EXPECT_GT(count * net::Connection::charge_bytes, newcomers_bytes_max / 2);
  EXPECT_GE(server->statistics().accounted_bytes, (count - 1) * net::Connection::charge_bytes);
  clients.clear();
  for (int i = 0; i < 2000 && server->statistics().connections > 0; i++) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  EXPECT_LT(server->statistics().accounted_bytes, newcomers_bytes_max / 2);
  EXPECT_EQ(second_line(*TestClient::tcp(server->client_port())), "PONG\r\n");
}

TEST(Server, max_memory_counts_the_rings_of_clients_in_the_process) {
  Options options = local_options();
  options.max_memory = 100 * 1024 * 1024;
  const std::unique_ptr<Server> server = start_server(options);
  const auto client = TestClient::in_process(*server->connector());
  client->connect();
  EXPECT_GE(server->statistics().accounted_bytes, 512 * 1024);
}

// Far below max_pending.
TEST(Server, where_max_memory_is_spent_a_consumer_that_is_behind_is_closed) {
  Options options = local_options();
  options.max_memory = 8 * 1024 * 1024;
  const std::unique_ptr<Server> server = start_server(options);
  const io::Fd silent = connect_to(server->client_port());
  const std::string hello = "CONNECT {\"verbose\":false}\r\nSUB a 1\r\n";
  ASSERT_EQ(::write(silent.get(), hello.data(), hello.size()), static_cast<ssize_t>(hello.size()));
  const auto publisher = TestClient::tcp(server->client_port());
  publisher->connect();
  const std::string message = "PUB a 500000\r\n" + std::string(500'000, 'x') + "\r\n";
  for (int i = 0; i < 200 && server->statistics().connections > 1; i++) {
    publisher->send(message);
    publisher->sync();
    EXPECT_LT(server->statistics().accounted_bytes, 2 * options.max_memory);
  }
  EXPECT_EQ(server->statistics().connections, 1U);
  publisher->send("SUB b 1\r\nPUB b 2\r\nok\r\n");
  publisher->read_until("MSG b 1 2\r\nok\r\n");
}

TEST(Server, what_was_acknowledged_is_delivered_while_it_stops) {
  for (const int32_t loops : {1, 2}) {
    Options options = local_options();
    options.loops = loops;
    const std::unique_ptr<Server> server = start_server(options);
    const auto subscriber = TestClient::tcp(server->client_port());
    const auto publisher = TestClient::tcp(server->client_port());
    subscriber->connect();
    subscriber->send("SUB a 1\r\n");
    subscriber->sync();
    publisher->connect();
    const std::string message = "PUB a 100000\r\n" + std::string(100'000, 'x') + "\r\n";
    for (int i = 0; i < 80; i++) publisher->send(message);  // Twice what sockets hold.
    publisher->sync();
    std::thread stopper([&] { EXPECT_TRUE(server->stop().is_ok()); });
    const std::string received = subscriber->read_until_closed();
    stopper.join();
    EXPECT_EQ(received.size(), 80 * (std::string("MSG a 1 100000\r\n").size() + 100'002));
  }
}

TEST(Server, max_memory_counts_what_the_subscription_tables_take) {
  Options options = local_options();
  options.max_memory = 1024 * 1024;
  const std::unique_ptr<Server> server = start_server(options);
  const std::unique_ptr<TestClient> client = TestClient::tcp(server->client_port());
  client->connect();
  const int64_t before = server->statistics().accounted_bytes;
  int64_t count = 0;
  std::string said;
  for (; count < 10'000 && said.empty(); count++) {
    client->send("SUB " + std::string(200, 'p') + std::to_string(count) + " " +
                 std::to_string(count) + "\r\nPING\r\n");
    const std::string line = client->read_until("\r\n");
    if (line != "PONG\r\n") said = line;
  }
  EXPECT_EQ(said, "-ERR 'maximum subscriptions exceeded'\r\n");
  // Without the tables at least twice as many would have found room.
  EXPECT_LT(count * broker::SubscriptionStore::charge_bytes, options.max_memory / 100 * 40);
  EXPECT_GT(server->statistics().accounted_bytes - before, (count - 1) * 300);
  (void)client->read_until("PONG\r\n");
  for (int64_t sid = 0; sid < count; sid++) client->send("UNSUB " + std::to_string(sid) + "\r\n");
  client->sync();
  EXPECT_LT(server->statistics().accounted_bytes, options.max_memory / 100 * 40);
  client->send("SUB again 1\r\n");
  client->sync();
}

TEST(Server, without_a_listener_there_is_no_port_and_the_connector_works) {
  Options options = local_options();
  options.listens = false;
  const std::unique_ptr<Server> server = start_server(std::move(options));
  EXPECT_EQ(server->client_port(), 0);
  EXPECT_EQ(server->client_url(), "");
  TestClient::in_process(*server->connector())->connect();
}

TEST(Server, a_taken_port_is_an_error_that_leaves_nothing_and_a_retry_works) {
  std::unique_ptr<Server> first = start_server(local_options());
  Options options = local_options();
  options.port = first->client_port();
  const size_t descriptors = descriptor_count();
  const size_t threads = thread_count();
  Result<std::unique_ptr<Server>> second = Server::create(options, nullptr);
  ASSERT_TRUE(second.is_ok());
  EXPECT_EQ((*second)->start().code(), ErrorCode::address_in_use);
  EXPECT_FALSE((*second)->is_running());
  EXPECT_EQ(descriptor_count(), descriptors);
  EXPECT_EQ(thread_count(), threads);
  first.reset();
  EXPECT_TRUE((*second)->start().is_ok());
  TestClient::tcp((*second)->client_port())->connect();
}

TEST(Server, a_taken_monitoring_port_is_an_error_that_leaves_nothing) {
  Options options = local_options();
  options.http_port = -1;
  const std::unique_ptr<Server> first = start_server(options);
  options.http_port = first->monitoring_port();
  const size_t descriptors = descriptor_count();
  Result<std::unique_ptr<Server>> second = Server::create(options, nullptr);
  const Status status = (*second)->start();
  EXPECT_EQ(status.code(), ErrorCode::address_in_use);
  EXPECT_EQ(status.error().context.find("can't listen to the monitor port: "), 0U)
      << status.error().context;
  EXPECT_EQ((*second)->client_port(), 0);
  EXPECT_EQ(descriptor_count(), descriptors);
}

TEST(Server, two_in_one_process_do_not_hear_each_other) {
  const std::unique_ptr<Server> one = start_server(local_options());
  const std::unique_ptr<Server> two = start_server(local_options());
  EXPECT_NE(one->id(), two->id());
  const auto a = TestClient::tcp(one->client_port());
  const auto b = TestClient::tcp(two->client_port());
  for (TestClient* client : {a.get(), b.get()}) {
    client->connect();
    client->send("SUB foo 1\r\n");
    client->sync();
  }
  a->send("PUB foo 1\r\nx\r\n");
  a->read_until("MSG foo 1 1\r\nx\r\n");
  b->sync();
  EXPECT_EQ(b->left(), "");
}

TEST(Server, stop_closes_clients_and_frees_the_port_for_the_next_start) {
  Result<std::unique_ptr<Server>> server = Server::create(local_options(), nullptr);
  ASSERT_TRUE((*server)->start().is_ok());
  Options options = local_options();
  const uint16_t port = (*server)->client_port();
  options.port = port;
  const auto client = TestClient::tcp((*server)->client_port());
  client->connect();
  EXPECT_TRUE((*server)->stop().is_ok());
  EXPECT_TRUE((*server)->stop().is_ok());
  EXPECT_FALSE((*server)->is_running());
  client->read_until_closed();
  EXPECT_EQ((*server)->client_port(), 0);
  // The same port again, by another server and then, restarted, by the first.
  std::unique_ptr<Server> again = start_server(options);
  TestClient::tcp(port)->connect();
  EXPECT_TRUE(again->stop().is_ok());
  EXPECT_TRUE(again->start().is_ok());
  TestClient::tcp(port)->connect();
  EXPECT_TRUE((*server)->start().is_ok());
}

TEST(Server, a_connector_outlives_its_server_and_says_so) {
  std::unique_ptr<Server> server = start_server(local_options());
  const std::shared_ptr<link::Connector> connector = server->connector();
  const auto client = TestClient::in_process(*connector);
  client->connect();
  ASSERT_TRUE(server->stop().is_ok());
  client->read_until_closed();
  EXPECT_EQ(connector->connect().code(), ErrorCode::no_servers);
  ASSERT_TRUE(server->start().is_ok());
  TestClient::in_process(*connector)->connect();
  server.reset();
  EXPECT_EQ(connector->connect().code(), ErrorCode::no_servers);
}

TEST(Server, refuses_a_payload_limit_above_the_pending_limit) {
  Options options = local_options();
  options.max_payload = 100;
  options.max_pending = 99;
  const Result<std::unique_ptr<Server>> server = Server::create(options, nullptr);
  EXPECT_EQ(server.code(), ErrorCode::invalid_options);
}

TEST(Server, one_connection_too_many_is_told_so_and_room_comes_back) {
  Options options = local_options();
  options.max_connections = 1;
  const std::unique_ptr<Server> server = start_server(std::move(options));
  {
    const auto first = TestClient::tcp(server->client_port());
    first->connect();
    const std::string answer = TestClient::tcp(server->client_port())->read_until_closed();
    EXPECT_EQ(answer.substr(0, 5), "INFO ");
    EXPECT_EQ(answer.substr(answer.find("\r\n") + 2), "-ERR 'maximum connections exceeded'\r\n");
    first->sync();
    first->send("NONSENSE\r\n");
    first->read_until_closed();
  }
  TestClient::tcp(server->client_port())->connect();
}

TEST(Server, accounts_made_in_code_share_no_subject) {
  Result<std::unique_ptr<Server>> created = Server::create(local_options(), nullptr);
  Server& server = **created;
  broker::Account& red = server.add_account("RED", {});
  broker::Account& blue = server.add_account("BLUE", {});
  ASSERT_TRUE(server.start().is_ok());
  const auto principal = std::make_shared<const auth::Principal>();
  const auto in_red = TestClient::in_process(*server.connector(red, principal));
  const auto in_blue = TestClient::in_process(*server.connector(blue, principal));
  const auto in_global = TestClient::tcp(server.client_port());
  for (TestClient* client : {in_red.get(), in_blue.get(), in_global.get()}) {
    client->connect();
    client->send("SUB > 1\r\n");
    client->sync();
  }
  in_red->send("PUB foo 3\r\nred\r\n");
  in_red->read_until("MSG foo 1 3\r\nred\r\n");
  in_blue->send("PUB foo 4\r\nblue\r\n");
  in_blue->read_until("MSG foo 1 4\r\nblue\r\n");
  for (TestClient* client : {in_red.get(), in_blue.get(), in_global.get()}) {
    client->sync();
    EXPECT_EQ(client->left(), "");
  }
}

TEST(Server, rights_given_in_code_are_enforced) {
  Result<std::unique_ptr<Server>> created = Server::create(local_options(), nullptr);
  Server& server = **created;
  broker::Account& account = server.add_account("A", {});
  ASSERT_TRUE(server.start().is_ok());
  auth::Permissions permissions;
  permissions.publish.allow = std::vector<auth::PermissionEntry>{{"ok.*", ""}};
  permissions.subscribe.deny = {{"secret.>", ""}};
  auth::Principal principal;
  principal.user = "limited";
  principal.permissions = std::make_shared<const auth::Permissions>(std::move(permissions));
  const auto client = TestClient::in_process(
      *server.connector(account, std::make_shared<const auth::Principal>(std::move(principal))));
  client->connect();
  client->send("PUB not.ok 1\r\nx\r\n");
  client->read_until("-ERR 'Permissions Violation for Publish to \"not.ok\"'\r\n");
  client->send("SUB secret.a 1\r\n");
  client->read_until("-ERR 'Permissions Violation for Subscription to \"secret.a\"'\r\n");
  client->send("SUB ok.* 2\r\nPUB ok.a 1\r\ny\r\n");
  client->read_until("MSG ok.a 2 1\r\ny\r\n");
  client->sync();
  EXPECT_EQ(client->left(), "");
}

TEST(Server, logs_the_life_of_a_connection_and_no_secret) {
  LineSink sink;
  Options options = local_options();
  options.debug = true;
  options.trace = true;
  options.auth.user = "alice";
  options.auth.password = "hidden-password";
  const std::unique_ptr<Server> server = start_server(std::move(options), &sink);
  const auto client = TestClient::tcp(server->client_port());
  client->connect(
      ",\"user\":\"alice\",\"pass\":\"hidden-password\",\"name\":\"n\",\"lang\":\"py\",\"version\":"
      "\"1.2\"");
  client->send("NONSENSE\r\n");
  client->read_until_closed();
  const auto wrong = TestClient::tcp(server->client_port());
  wrong->send("CONNECT {\"user\":\"alice\",\"pass\":\"wrong-password\"}\r\n");
  wrong->read_until_closed();
  ASSERT_TRUE(server->stop().is_ok());
  const std::string lines = sink.lines();
  EXPECT_NE(lines.find("cid:1 - Client connection created\n"), std::string::npos) << lines;
  EXPECT_NE(lines.find("[DBG] 127.0.0.1:"), std::string::npos);
  EXPECT_NE(lines.find(" - cid:1 - \"v1.2:py:n\" - \"$G/user:alice\" - Client connection closed: "
                       "Protocol Violation\n"),
            std::string::npos)
      << lines;
  EXPECT_NE(lines.find(" - cid:2 - Client connection closed: Authentication Failure\n"),
            std::string::npos)
      << lines;
  EXPECT_EQ(lines.find("-password"), std::string::npos) << lines;
}

TEST(Server, a_hundred_cycles_leave_no_thread_and_no_descriptor) {
  Options options = local_options();
  options.http_port = -1;
  options.loops = 2;
  {
    start_server(options);
  }
  const size_t descriptors = descriptor_count();
  const size_t threads = thread_count();
  for (int i = 0; i < 100; i++) {
    const std::unique_ptr<Server> server = start_server(options);
    const auto tcp = TestClient::tcp(server->client_port());
    const auto inside = TestClient::in_process(*server->connector());
    tcp->connect();
    inside->connect();
    if (i % 10 == 0) {
      EXPECT_NE(http_get(server->monitoring_port(), "/healthz").find("{\"status\":\"ok\"}"),
                std::string::npos);
    }
  }
  EXPECT_EQ(descriptor_count(), descriptors);
  EXPECT_EQ(thread_count(), threads);
}

}  // namespace
}  // namespace martlet::server
