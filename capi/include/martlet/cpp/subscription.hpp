// SPDX-License-Identifier: Apache-2.0
//
// Owns a subscription as a C++ object. See martlet/subscription.h for what each call promises.
#pragma once

#include "martlet/cpp/connection.hpp"
#include "martlet/subscription.h"

namespace martlet::cpp {

/// What waits and what was lost of one subscription.
struct SubscriptionCounts {
  int64_t pending_messages = 0;
  int64_t pending_bytes = 0;
  int64_t dropped_messages = 0;
  int64_t delivered_messages = 0;
};

class Subscription {
 public:
  Subscription(martlet_connection* connection, std::string_view subject, std::string_view group,
               std::string_view options, martlet_queue* queue, int64_t cookie) {
    ErrorOut error;
    martlet_subscription* subscription = nullptr;
    check(martlet_subscription_new(connection, subject.data(), size_of(subject), group.data(),
                                   size_of(group), options.data(), size_of(options), queue, cookie,
                                   &subscription, error),
          error);
    subscription_ = Owned<martlet_subscription, martlet_subscription_free>(subscription);
  }

  void unsubscribe() {
    ErrorOut error;
    check(martlet_subscription_unsubscribe(get(), error), error);
  }
  void auto_unsubscribe(int64_t messages_max) {
    ErrorOut error;
    check(martlet_subscription_auto_unsubscribe(get(), messages_max, error), error);
  }
  void drain() {
    ErrorOut error;
    check(martlet_subscription_drain(get(), error), error);
  }
  SubscriptionCounts counts() const {
    ErrorOut error;
    SubscriptionCounts counts;
    check(
        martlet_subscription_pending(get(), &counts.pending_messages, &counts.pending_bytes, error),
        error);
    check(martlet_subscription_dropped(get(), &counts.dropped_messages, &counts.delivered_messages,
                                       error),
          error);
    return counts;
  }
  void reset() { subscription_.reset(); }
  martlet_subscription* get() const { return subscription_.get(); }

 private:
  Owned<martlet_subscription, martlet_subscription_free> subscription_;
};

}  // namespace martlet::cpp
