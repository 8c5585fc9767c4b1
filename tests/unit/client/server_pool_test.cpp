// SPDX-License-Identifier: Apache-2.0
//
// Goal: servers take turns in rounds, go after too many failures, and the discovered come and go.
#include "client/server_pool.hpp"

#include <gtest/gtest.h>

#include <set>

namespace martlet::client {
namespace {

std::vector<ServerUrl> urls(std::initializer_list<const char*> texts) {
  std::vector<ServerUrl> all;
  for (const char* text : texts) all.push_back(*parse_server_url(text));
  return all;
}

TEST(ServerPool, RoundsGoThroughAll) {
  Random random(1);
  ServerPool pool(urls({"a", "b", "c"}), false, random);
  EXPECT_EQ(pool.current().url.host, "a");
  EXPECT_FALSE(pool.advance());
  EXPECT_FALSE(pool.advance());
  EXPECT_EQ(pool.current().url.host, "c");
  EXPECT_TRUE(pool.advance());
  EXPECT_EQ(pool.current().url.host, "a");
}

TEST(ServerPool, TooManyFailuresRemove) {
  Random random(1);
  ServerPool pool(urls({"a", "b"}), false, random);
  EXPECT_FALSE(pool.note_failure(2));
  pool.note_success();
  EXPECT_TRUE(pool.note_failure(2));   // b once
  EXPECT_FALSE(pool.note_failure(2));  // a twice: gone
  EXPECT_EQ(pool.size(), 1u);
  EXPECT_EQ(pool.current().url.host, "b");
  EXPECT_TRUE(pool.note_failure(2));
  EXPECT_TRUE(pool.is_empty());
}

TEST(ServerPool, ShufflesAndKeepsAll) {
  std::set<std::string> first_hosts;
  for (uint64_t seed = 0; seed < 50; ++seed) {
    Random random(seed);
    ServerPool pool(urls({"a", "b", "c", "d"}), true, random);
    EXPECT_EQ(pool.size(), 4u);
    first_hosts.insert(pool.current().url.host);
  }
  EXPECT_EQ(first_hosts.size(), 4u);
}

TEST(ServerPool, DiscoveredComeAndGoButNotTheGivenAndTheCurrent) {
  Random random(7);
  ServerPool pool(urls({"a"}), false, random);
  EXPECT_EQ(pool.set_discovered({"b:1", "a:4222", "c:2", "broken:x"}, true, random).size(), 2u);
  EXPECT_EQ(pool.size(), 3u);
  EXPECT_EQ(pool.current().url.host, "a");
  EXPECT_TRUE(pool.set_discovered({"c:2"}, true, random).empty());
  EXPECT_EQ(pool.size(), 2u);
  pool.advance();
  EXPECT_EQ(pool.current().url.host, "c");
  pool.set_discovered({}, true, random);
  EXPECT_EQ(pool.size(), 2u);
}

TEST(ServerPool, OfTheDiscoveredSoManyAreTaken) {
  Random random(7);
  ServerPool pool(urls({"a"}), false, random);
  std::vector<std::string> told, others;
  for (size_t i = 0; i < ServerPool::discovered_max + 10; ++i) {
    told.push_back("b" + std::to_string(i) + ":1");
    others.push_back("c" + std::to_string(i) + ":1");
  }
  EXPECT_EQ(pool.set_discovered(told, true, random).size(), ServerPool::discovered_max);
  EXPECT_EQ(pool.size(), 1 + ServerPool::discovered_max);
  EXPECT_TRUE(pool.set_discovered(told, true, random).empty());
  pool.advance();  // A discovered one is in use: it stays, one above the bound.
  EXPECT_EQ(pool.set_discovered(others, true, random).size(), ServerPool::discovered_max);
  EXPECT_EQ(pool.size(), 2 + ServerPool::discovered_max);
}

TEST(ServerPool, EachServerRestsForItself) {
  Random random(1);
  ServerPool pool({*parse_server_url("a"), *parse_server_url("b")}, false, random);
  EXPECT_EQ(pool.rest_ns(1000, 50), 0) << "never dialled";
  pool.note_attempt(1000);
  EXPECT_EQ(pool.rest_ns(1010, 50), 40);
  EXPECT_EQ(pool.rest_ns(2000, 50), 0);
  pool.advance();
  EXPECT_EQ(pool.rest_ns(1010, 50), 0);
}

}  // namespace
}  // namespace martlet::client
