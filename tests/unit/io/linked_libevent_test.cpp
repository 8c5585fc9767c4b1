// SPDX-License-Identifier: Apache-2.0
//
// Goal: libevent is named with the version that its header has, for both come from one package.
#include "io/linked_libevent.hpp"

#include <event2/event.h>
#include <gtest/gtest.h>

namespace martlet::io {
namespace {

TEST(LinkedLibevent, has_the_version_of_its_header) {
  EXPECT_STREQ(linked_libevent().name, "libevent");
  EXPECT_STREQ(linked_libevent().version, LIBEVENT_VERSION);
}

}  // namespace
}  // namespace martlet::io
