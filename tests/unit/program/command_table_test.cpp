// SPDX-License-Identifier: Apache-2.0
//
// Goal: the first word leads to a command, and nothing else does. Method: the table and the exit
// statuses.
#include "program/command_table.hpp"

#include <gtest/gtest.h>

namespace martlet::program {
namespace {

TEST(CommandTable, knows_its_commands) {
  ASSERT_NE(find_command("serve"), nullptr);
  EXPECT_EQ(find_command("no-such"), nullptr);
  EXPECT_EQ(find_command(""), nullptr);
  EXPECT_EQ(find_command("req"), find_command("request"));
  EXPECT_EQ(find_command("publish"), find_command("pub"));
  EXPECT_EQ(find_command("subscribe"), find_command("sub"));
  EXPECT_NE(commands_help().find("    serve     run a server"), std::string::npos);
}

TEST(CommandTable, exit_statuses) {
  EXPECT_EQ(run_program({"martlet"}), 2);
  EXPECT_EQ(run_program({"martlet", "no-such"}), 2);
  EXPECT_EQ(run_program({"/usr/bin/martlet", "help"}), 0);
  EXPECT_EQ(run_program({"martlet", "--version"}), 0);
  EXPECT_EQ(run_program({"martlet", "serve", "-v"}), 0);
  EXPECT_EQ(run_program({"/x/nats-server", "-v"}), 0);
  EXPECT_EQ(run_program({"/x/nats-server", "-t"}), 1);
}

}  // namespace
}  // namespace martlet::program
