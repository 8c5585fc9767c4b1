// SPDX-License-Identifier: Apache-2.0
//
// Goal: success and failure cannot be mistaken for each other, and an error passes from one type of
// result to another whole. Method: each way to make one, and the misuse that ends the process.
#include "base/result.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

namespace martlet {
namespace {

TEST(Status, success_is_the_default_and_one_pointer_wide) {
  const Status status;
  EXPECT_TRUE(status.is_ok());
  EXPECT_TRUE(static_cast<bool>(status));
  EXPECT_EQ(status.code(), ErrorCode::ok);
  EXPECT_EQ(sizeof(Status), sizeof(void*));
}

TEST(Status, a_failure_carries_code_and_context) {
  const Status status(ErrorCode::payload_too_large, "payload 2 > max_payload 1");
  EXPECT_FALSE(status.is_ok());
  EXPECT_EQ(status.code(), ErrorCode::payload_too_large);
  EXPECT_EQ(status.error().context, "payload 2 > max_payload 1");
}

TEST(Status, an_error_passes_on_to_a_result_of_any_type) {
  Status status(ErrorCode::io, "cannot open x");
  Result<int> number = status.take_error();
  Result<std::string> text = number.take_error();
  EXPECT_FALSE(text.is_ok());
  EXPECT_EQ(text.code(), ErrorCode::io);
  EXPECT_EQ(text.error().context, "cannot open x");
}

TEST(Result, a_value_is_reached_in_each_way) {
  Result<std::string> result(std::string("seven"));
  ASSERT_TRUE(result);
  EXPECT_EQ(result.code(), ErrorCode::ok);
  EXPECT_EQ(*result, "seven");
  EXPECT_EQ(result.value(), "seven");
  EXPECT_EQ(result->size(), 5U);
  *result += "th";
  EXPECT_EQ(std::as_const(result).value(), "seventh");
}

TEST(Result, holds_what_can_only_be_moved) {
  Result<std::unique_ptr<int>> result(std::make_unique<int>(7));
  ASSERT_TRUE(result);
  const std::unique_ptr<int> taken = std::move(*result);
  EXPECT_EQ(*taken, 7);
}

TEST(Result, made_of_a_failed_status_is_that_failure) {
  const Result<int> result(Status(ErrorCode::timeout, "after 5 ms"));
  EXPECT_FALSE(result);
  EXPECT_EQ(result.code(), ErrorCode::timeout);
}

TEST(ResultDeathTest, misuse_is_a_broken_invariant) {
  const Result<int> failed(ErrorCode::io, "x");
  EXPECT_DEATH(static_cast<void>(failed.value()), "broken invariant");
  const Result<int> good(7);
  EXPECT_DEATH(static_cast<void>(good.error()), "broken invariant");
  const Status status;
  EXPECT_DEATH(static_cast<void>(status.error()), "broken invariant");
  EXPECT_DEATH(static_cast<void>(Result<int>(Status())), "broken invariant");
}

}  // namespace
}  // namespace martlet
