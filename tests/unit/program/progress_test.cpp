// SPDX-License-Identifier: Apache-2.0
//
// Goal: the bar tells share, numbers, rate and rest; it is silent when it is not to show.
#include "program/progress.hpp"

#include <gtest/gtest.h>

#include "io/system_clock.hpp"

namespace martlet::program {
namespace {

TEST(Progress, Line) {
  const io::SystemClock clock;
  const Progress progress(clock, "published", 2000, false);
  EXPECT_EQ(progress.line(1000, 2'000'000'000),
            "published [###############...............]  50% 1,000/2,000  500/s  2s left");
  EXPECT_EQ(progress.line(2000, 1'000'000'000),
            "published [##############################] 100% 2,000/2,000  2,000/s");
  EXPECT_EQ(progress.line(0, 0), "published [..............................]   0% 0/2,000  0/s");
}

TEST(Progress, ShowsOnlyWhenAsked) {
  const io::SystemClock clock;
  testing::internal::CaptureStderr();
  {
    Progress silent(clock, "a", 10, false);
    silent.show(5);
  }
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
  testing::internal::CaptureStderr();
  {
    Progress shown(clock, "b", 10, true);
    shown.show(10);
  }
  const std::string text = testing::internal::GetCapturedStderr();
  EXPECT_TRUE(text.starts_with("\rb [")) << text;
  EXPECT_TRUE(text.ends_with("\n"));
}

TEST(Progress, Numbers) {
  EXPECT_EQ(with_commas(0), "0");
  EXPECT_EQ(with_commas(999), "999");
  EXPECT_EQ(with_commas(1000), "1,000");
  EXPECT_EQ(with_commas(-1234567), "-1,234,567");
  EXPECT_EQ(readable_bytes(512), "512 B");
  EXPECT_EQ(readable_bytes(1536), "1.5 KiB");
  EXPECT_EQ(readable_bytes(3.0 * 1024 * 1024 * 1024), "3.0 GiB");
}

}  // namespace
}  // namespace martlet::program
