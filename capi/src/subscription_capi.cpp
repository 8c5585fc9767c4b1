// SPDX-License-Identifier: Apache-2.0
//
// Owns subscriptions at the border: arguments in, statuses out. The work is client/connection.hpp.
#include <memory>
#include <utility>

#include "boundary.hpp"
#include "client/connection_options.hpp"
#include "connection_handle.hpp"
#include "queue_handle.hpp"

using martlet::Result;
using martlet::capi::Answer;

extern "C" {

martlet_status martlet_subscription_new(martlet_connection* connection, const char* subject,
                                        int64_t subject_bytes, const char* group,
                                        int64_t group_bytes, const char* options,
                                        int64_t options_bytes, martlet_queue* queue, int64_t cookie,
                                        martlet_subscription** out_subscription,
                                        martlet_error** out_error) {
  return martlet::capi::guarded_on(connection, out_error, [&]() -> Answer {
    if (out_subscription == nullptr) return martlet::capi::missing("out_subscription");
    std::string_view subject_text, group_text, options_text;
    Answer bad(MARTLET_OK);
    martlet::capi::SharedQueue shared_queue;
    if (!martlet::capi::read_queue(queue, true, shared_queue, bad) ||
        !martlet::capi::read_bytes(subject, subject_bytes, "subject", subject_text, bad) ||
        !martlet::capi::read_bytes(group, group_bytes, "group", group_text, bad) ||
        !martlet::capi::read_bytes(options, options_bytes, "options", options_text, bad)) {
      return bad;
    }
    Result<martlet::client::FeedOptions> bounds = martlet::client::parse_feed_options(options_text);
    if (!bounds) return bounds.error();
    Result<std::unique_ptr<martlet::client::Subscription>> made =
        connection->connection->subscribe(subject_text, group_text, *bounds, shared_queue, cookie);
    if (!made) return made.error();
    *out_subscription = new martlet_subscription(std::move(*made));
    return MARTLET_OK;
  });
}

martlet_status martlet_subscription_unsubscribe(martlet_subscription* self,
                                                martlet_error** out_error) {
  return martlet::capi::guarded_on(self, out_error,
                                   [&]() -> Answer { return self->subscription->unsubscribe(); });
}

martlet_status martlet_subscription_auto_unsubscribe(martlet_subscription* self,
                                                     int64_t messages_max,
                                                     martlet_error** out_error) {
  return martlet::capi::guarded_on(self, out_error, [&]() -> Answer {
    if (messages_max < 1) return Answer(MARTLET_ERR_INVALID_ARGUMENT, "messages_max is below 1");
    return self->subscription->auto_unsubscribe(messages_max);
  });
}

martlet_status martlet_subscription_drain(martlet_subscription* self, martlet_error** out_error) {
  return martlet::capi::guarded_on(self, out_error,
                                   [&]() -> Answer { return self->subscription->drain(); });
}

martlet_status martlet_subscription_pending(const martlet_subscription* self, int64_t* out_messages,
                                            int64_t* out_bytes, martlet_error** out_error) {
  return martlet::capi::guarded_on(self, out_error, [&]() -> Answer {
    if (out_messages == nullptr) return martlet::capi::missing("out_messages");
    *out_messages = self->subscription->pending_messages();
    if (out_bytes != nullptr) *out_bytes = self->subscription->pending_bytes();
    return MARTLET_OK;
  });
}

martlet_status martlet_subscription_dropped(const martlet_subscription* self, int64_t* out_dropped,
                                            int64_t* out_delivered, martlet_error** out_error) {
  return martlet::capi::guarded_on(self, out_error, [&]() -> Answer {
    if (out_dropped == nullptr) return martlet::capi::missing("out_dropped");
    *out_dropped = self->subscription->dropped();
    if (out_delivered != nullptr) *out_delivered = self->subscription->delivered();
    return MARTLET_OK;
  });
}

void martlet_subscription_free(martlet_subscription* self) {
  if (martlet::capi::CallbackScope::is_inside()) martlet_subscription_unsubscribe(self, nullptr);
  martlet::capi::free_handle(self);
}

}  // extern "C"
