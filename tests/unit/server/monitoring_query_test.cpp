// SPDX-License-Identifier: Apache-2.0
//
// Goal: parameters are read as nats-server reads them, and refused in its words. Method: its
// answers as expectations.
#include "server/monitoring_query.hpp"

#include <gtest/gtest.h>

namespace martlet::server {
namespace {

TEST(MonitoringQuery, takes_a_query_apart) {
  const MonitoringQuery query("a=1&b=x%20y+z&&c&a=2&d=p;q&%65=f=g");
  EXPECT_EQ(query.text("a"), "1");
  EXPECT_EQ(query.text("b"), "x y z");
  EXPECT_EQ(query.text("c"), "");
  EXPECT_EQ(query.text("d"), "");
  EXPECT_EQ(query.text("e"), "f=g");
  EXPECT_EQ(query.text("absent"), "");
}

TEST(MonitoringQuery, flags) {
  EXPECT_TRUE(*MonitoringQuery("a=True").flag("a"));
  EXPECT_FALSE(*MonitoringQuery("a=0").flag("a"));
  EXPECT_FALSE(*MonitoringQuery("a").flag("a"));
  EXPECT_FALSE(*MonitoringQuery("").flag("a"));
  EXPECT_EQ(MonitoringQuery("a=yes").flag("a").error().context,
            "Error decoding boolean for 'a': strconv.ParseBool: parsing \"yes\": invalid syntax");
}

TEST(MonitoringQuery, numbers) {
  EXPECT_EQ(*MonitoringQuery("n=-12").integer("n"), -12);
  EXPECT_EQ(*MonitoringQuery("n=%2B12").integer("n"), 12);
  EXPECT_EQ(*MonitoringQuery("").integer("n"), 0);
  EXPECT_EQ(*MonitoringQuery("n=18446744073709551615").unsigned_integer("n"), UINT64_MAX);
  EXPECT_EQ(MonitoringQuery("limit=x").integer("limit").error().context,
            "Error decoding int for 'limit': strconv.Atoi: parsing \"x\": invalid syntax");
  EXPECT_EQ(MonitoringQuery("limit=1x").integer("limit").code(), ErrorCode::invalid_argument);
  EXPECT_EQ(MonitoringQuery("limit=%2B").integer("limit").code(), ErrorCode::invalid_argument);
  EXPECT_EQ(MonitoringQuery("limit=%2B-1").integer("limit").code(), ErrorCode::invalid_argument);
  EXPECT_EQ(MonitoringQuery("limit=99999999999999999999").integer("limit").error().context,
            "Error decoding int for 'limit': strconv.Atoi: parsing \"99999999999999999999\": value "
            "out of range");
  EXPECT_EQ(MonitoringQuery("cid=-1").unsigned_integer("cid").error().context,
            "Error decoding uint64 for 'cid': strconv.ParseUint: parsing \"-1\": invalid syntax");
}

}  // namespace
}  // namespace martlet::server
