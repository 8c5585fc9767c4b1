// SPDX-License-Identifier: Apache-2.0
//
// Goal: a signalled descriptor is readable until it is cleared, and signals do not add up.
#include "io/wake_descriptor.hpp"

#include <gtest/gtest.h>

namespace martlet::io {
namespace {

TEST(WakeDescriptor, IsReadableFromSignalUntilClear) {
  Result<WakeDescriptor> wake = WakeDescriptor::create();
  ASSERT_TRUE(wake.is_ok());
  EXPECT_FALSE(wait_descriptor(wake->descriptor(), true, false, 0));
  wake->signal();
  wake->signal();
  EXPECT_TRUE(wait_descriptor(wake->descriptor(), true, false, 0));
  wake->clear();
  EXPECT_FALSE(wait_descriptor(wake->descriptor(), true, false, 0));
  wake->clear();  // Clearing what is clear does nothing.
}

}  // namespace
}  // namespace martlet::io
