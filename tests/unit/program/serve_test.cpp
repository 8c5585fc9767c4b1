// SPDX-License-Identifier: Apache-2.0
//
// Goal: what `martlet serve` answers without starting a server. Method: exit statuses;
// tests/program runs the program itself.
#include "program/serve.hpp"

#include <gtest/gtest.h>

namespace martlet::program {
namespace {

TEST(Serve, versions) {
  EXPECT_TRUE(version_line("nats-server").starts_with("nats-server: v2.15.2"));
  EXPECT_TRUE(version_line("martlet").starts_with("martlet: v0."));
}

TEST(Serve, exit_statuses_without_a_server) {
  EXPECT_EQ(run_serve("martlet serve", {"-h"}), 0);
  EXPECT_EQ(run_serve("martlet serve", {"--help_tls"}), 0);
  EXPECT_EQ(run_serve("martlet serve", {"-zz"}), 0);  // As nats-server: the usage is a success.
  EXPECT_EQ(run_serve("martlet serve", {"-js"}), 1);
  EXPECT_EQ(run_serve("martlet serve", {"nonsense"}), 1);
  EXPECT_EQ(run_serve("martlet serve", {"-c", "/nope/x.conf"}), 1);
  EXPECT_EQ(run_serve("martlet serve", {"-p", "70000"}), 1);
  EXPECT_EQ(run_serve("martlet serve", {"--user", "u", "--auth", "t"}), 1);
  EXPECT_EQ(run_serve("martlet serve", {"-p", "-1", "-l", "/nope/log"}), 1);
  EXPECT_EQ(run_serve("martlet serve", {"-p", "-1", "-P", "/nope/pid"}), 1);
  EXPECT_EQ(run_serve("martlet serve", {"-sl", "nonsense=1"}), 1);
}

}  // namespace
}  // namespace martlet::program
