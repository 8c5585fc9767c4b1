// SPDX-License-Identifier: Apache-2.0
//
// Owns what a principal may publish and subscribe to. No list means that everything is allowed; a
// deny always wins. Immutable once built. Configuration and JWT fill it in later; code can do so
// now.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace martlet::auth {

/// A subject pattern, for subscriptions optionally with a queue pattern: "foo q.*".
struct PermissionEntry {
  std::string subject;
  std::string queue;
};

struct SubjectPermission {
  std::optional<std::vector<PermissionEntry>> allow;
  std::vector<PermissionEntry> deny;
};

struct Permissions {
  SubjectPermission publish;
  SubjectPermission subscribe;

  bool may_publish(std::string_view subject) const;
  /// Whether a subscription to `pattern` (in group `queue`, if not empty) is taken at all.
  bool may_subscribe(std::string_view pattern, std::string_view queue) const;
  /// Whether some messages of an accepted subscription must be held back one by one.
  bool filters_delivery(std::string_view pattern, std::string_view queue) const;
  /// The verdict on one message of such a subscription.
  bool may_deliver(std::string_view subject, std::string_view queue) const;
};

/// Who a session acts for. A change of rights is a new Principal with a higher epoch; verdicts
/// cached under another epoch do not count.
struct Principal {
  std::string user;
  uint64_t epoch = 0;
  std::shared_ptr<const Permissions>
      permissions;  // Null: everything is allowed. Shared by all sessions of the user.
};

}  // namespace martlet::auth
