// SPDX-License-Identifier: Apache-2.0
//
// Goal: a completion's parts are found where its descriptor says, also after a copy to another
// block. Method: fill by hand, copy, compare.
#include "client/completion.hpp"

#include <gtest/gtest.h>

namespace martlet::client {
namespace {

TEST(CompletionTest, CountsDescriptorAndContent) {
  Completion c;
  c.subject = "ab";
  c.data = "xyz";
  EXPECT_EQ(c.content_bytes(), 5u);
  EXPECT_EQ(entry_bytes(c.content_bytes()), 64 + 5);
}

TEST(CompletionTest, OnlyNewsAreEvents) {
  Completion c;
  for (const CompletionKind kind :
       {CompletionKind::message, CompletionKind::reply, CompletionKind::flushed,
        CompletionKind::subscription_end, CompletionKind::slow_consumer, CompletionKind::closed}) {
    c.kind = kind;
    EXPECT_FALSE(c.is_event()) << static_cast<int>(kind);
  }
  for (const CompletionKind kind :
       {CompletionKind::connected, CompletionKind::disconnected, CompletionKind::log_line}) {
    c.kind = kind;
    EXPECT_TRUE(c.is_event()) << static_cast<int>(kind);
  }
}

TEST(CompletionTest, PartsFollowEachOtherAlsoAfterACopy) {
  Completion c;
  c.sid = 7;
  c.cookie = -1;
  c.subject = "a.b";
  c.headers = "NATS/1.0\r\n\r\n";
  c.data = "xyz";
  char block[100] = {};
  CompletionDescriptor d;
  fill_descriptor(d, block + 40, block, c);
  EXPECT_EQ(d.subject_offset, 40);
  EXPECT_EQ(d.reply_bytes, 0);
  EXPECT_EQ(std::string_view(block + d.headers_offset, 12), c.headers);
  char other[100] = {};
  CompletionDescriptor copy;
  copy_entry(copy, other + 10, other, d, block, c.content_bytes());
  EXPECT_EQ(copy.subject_offset, 10);
  EXPECT_EQ(copy.sid, 7);
  EXPECT_EQ(copy.cookie, -1);
  EXPECT_EQ(std::string_view(other + 10, 18), "a.bNATS/1.0\r\n\r\nxyz");
  EXPECT_EQ(std::string_view(other + copy.data_offset, 3), "xyz");
}

}  // namespace
}  // namespace martlet::client
