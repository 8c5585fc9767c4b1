// SPDX-License-Identifier: Apache-2.0
//
// Promise: the line of a publish is as the protocol has it; one that is said again is the same
// bytes, and only where subject and size are the same and there are no headers and no reply.
#include "client/publish_line.hpp"

#include <gtest/gtest.h>

#include <string>

#include "client/connection.hpp"

namespace martlet::client {
namespace {

std::string line_of(const PublishView& message) {
  std::string bytes(message.subject.size() + message.reply.size() + line_numbers_bytes_max, '#');
  bytes.resize(static_cast<size_t>(put_publish_line(bytes.data(), message) - bytes.data()));
  return bytes;
}

LastPublishLine remembered(const PublishView& message) {
  LastPublishLine last;
  last.keep(line_of(message), message);
  return last;
}

TEST(PublishLine, IsWrittenForEachKindOfMessage) {
  const std::string headers = "NATS/1.0\r\n\r\n";
  EXPECT_EQ(line_of({"a.b", "", "", "xyz"}), "PUB a.b 3\r\n");
  EXPECT_EQ(line_of({"a.b", "re", "", ""}), "PUB a.b re 0\r\n");
  EXPECT_EQ(line_of({"a.b", "", headers, "xyz"}), "HPUB a.b 12 15\r\n");
  EXPECT_EQ(line_of({"a.b", "re", headers, ""}), "HPUB a.b re 12 12\r\n");
}

TEST(LastPublishLine, IsThatOfTheSameSubjectAndSizeOnly) {
  const LastPublishLine last = remembered({"a.b", "", "", "xyz"});
  EXPECT_TRUE(last.is_of({"a.b", "", "", "123"}));
  EXPECT_FALSE(last.is_of({"a.c", "", "", "123"}));
  EXPECT_FALSE(last.is_of({"a.bb", "", "", "123"}));
  EXPECT_FALSE(last.is_of({"a.", "", "", "123"}));
  EXPECT_FALSE(last.is_of({"", "", "", "123"}));
  EXPECT_FALSE(last.is_of({"a.b", "", "", "1234"}));
  EXPECT_FALSE(last.is_of({"a.b", "re", "", "123"}));
  EXPECT_FALSE(last.is_of({"a.b", "", "NATS/1.0\r\n\r\n", "123"}));
}

TEST(LastPublishLine, SaysTheSameBytes) {
  for (const size_t payload : {size_t{0}, size_t{9}, size_t{1'048'576}}) {
    const std::string data(payload, 'x');
    const PublishView message{"bench.rate", "", "", data};
    const LastPublishLine last = remembered(message);
    std::string bytes(message.subject.size() + line_numbers_bytes_max, '#');
    bytes.resize(static_cast<size_t>(last.put(bytes.data()) - bytes.data()));
    EXPECT_EQ(bytes, line_of(message));
  }
}

TEST(LastPublishLine, KnowsNothingAtFirst) {
  EXPECT_FALSE(LastPublishLine().is_of({"", "", "", ""}));
}

TEST(LastPublishLine, KeepsNeitherALongLineNorOneWithAReplyOrHeaders) {
  const std::string long_subject(300, 's');
  EXPECT_FALSE(remembered({long_subject, "", "", "x"}).is_of({long_subject, "", "", "x"}));
  EXPECT_FALSE(remembered({"a", "re", "", "x"}).is_of({"a", "", "", "x"}));
  EXPECT_FALSE(remembered({"a", "", "NATS/1.0\r\n\r\n", "x"}).is_of({"a", "", "", "x"}));
}

TEST(LastPublishLine, StaysWhatItWasWhenALongLineIsNotKept) {
  LastPublishLine last = remembered({"a", "", "", "x"});
  const std::string long_subject(60, 's');
  const PublishView message{long_subject, "", "", "x"};
  last.keep(line_of(message), message);
  EXPECT_TRUE(last.is_of({"a", "", "", "y"}));
  EXPECT_FALSE(last.is_of(message));
}

TEST(CheckSubjects, NamesWhatIsWrong) {
  EXPECT_TRUE(check_subjects({"a.b", "", "", ""}).is_ok());
  EXPECT_EQ(check_subjects({"a.*", "", "", ""}).code(), ErrorCode::invalid_subject);
  EXPECT_EQ(check_subjects({"a", "b c", "", ""}).code(), ErrorCode::invalid_subject);
  const std::string long_subject(line_subjects_bytes_max, 's');
  EXPECT_TRUE(check_subjects({long_subject, "", "", ""}).is_ok());
  EXPECT_EQ(check_subjects({long_subject, "r", "", ""}).code(), ErrorCode::invalid_subject);
}

}  // namespace
}  // namespace martlet::client
