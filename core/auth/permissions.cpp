// SPDX-License-Identifier: Apache-2.0
//
// Owns the verdicts of permission lists, as observed on nats-server 2.15.2.
#include "auth/permissions.hpp"

#include "subject/subject.hpp"

namespace martlet::auth {
namespace {

bool queue_matches(const PermissionEntry& entry, std::string_view queue) {
  return subject::matches(entry.queue, queue);
}

}  // namespace

bool Permissions::may_publish(std::string_view subject) const {
  for (const PermissionEntry& entry : publish.deny) {
    if (subject::matches(entry.subject, subject)) return false;
  }
  if (!publish.allow) return true;
  for (const PermissionEntry& entry : *publish.allow) {
    if (subject::matches(entry.subject, subject)) return true;
  }
  return false;
}

bool Permissions::may_subscribe(std::string_view pattern, std::string_view queue) const {
  bool allowed = !subscribe.allow.has_value();
  bool queue_entry_decides = false;
  bool queue_allowed = false;
  if (subscribe.allow) {
    for (const PermissionEntry& entry : *subscribe.allow) {
      if (!subject::is_subset(pattern, entry.subject)) continue;
      if (entry.queue.empty()) {
        allowed = true;
      } else if (!queue.empty()) {
        // Once an entry with a queue fits the subject, such entries alone decide for queue
        // subscriptions.
        queue_entry_decides = true;
        queue_allowed = queue_allowed || queue_matches(entry, queue);
      }
    }
  }
  if (queue_entry_decides) allowed = queue_allowed;
  if (!allowed) return false;
  for (const PermissionEntry& entry : subscribe.deny) {
    if (!subject::is_subset(pattern, entry.subject)) continue;
    if (entry.queue.empty() || (!queue.empty() && queue_matches(entry, queue))) return false;
  }
  return true;
}

bool Permissions::filters_delivery(std::string_view pattern, std::string_view queue) const {
  for (const PermissionEntry& entry : subscribe.deny) {
    if (!entry.queue.empty() && (queue.empty() || !queue_matches(entry, queue))) continue;
    if (subject::is_subset(entry.subject, pattern) || !subject::is_literal(pattern)) return true;
  }
  return false;
}

bool Permissions::may_deliver(std::string_view subject, std::string_view queue) const {
  for (const PermissionEntry& entry : subscribe.deny) {
    if (!entry.queue.empty() && (queue.empty() || !queue_matches(entry, queue))) continue;
    if (subject::matches(entry.subject, subject)) return false;
  }
  return true;
}

}  // namespace martlet::auth
