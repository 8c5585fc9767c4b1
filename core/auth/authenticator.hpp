// SPDX-License-Identifier: Apache-2.0
//
// Owns the question who a CONNECT is from. Secrets are compared in constant time and never logged.
// A check that is slow by design (bcrypt) is named as such, so that the caller takes it off its
// loop.
#pragma once

#include <memory>
#include <string>

#include "auth/permissions.hpp"

namespace martlet::auth {

struct Credentials {
  std::string user;
  std::string password;
  std::string token;
};

/// What the configuration demands. All empty: everybody is let in.
struct AuthOptions {
  std::string user;
  std::string password;
  std::string token;
  bool is_required() const { return !user.empty() || !password.empty() || !token.empty(); }
};

/// Immutable; any thread.
class Authenticator {
 public:
  explicit Authenticator(AuthOptions options);
  /// Lets everybody in as `principal`: for connections made in code.
  explicit Authenticator(std::shared_ptr<const Principal> principal);

  bool is_required() const { return options_.is_required(); }
  /// check() takes tens of milliseconds: call it on a worker.
  bool is_slow() const { return is_slow_; }
  /// Null: refused. The principal is shared by the sessions of its user.
  std::shared_ptr<const Principal> check(const Credentials& credentials) const;

 private:
  const AuthOptions options_;
  const std::shared_ptr<const Principal> principal_;
  bool is_slow_;
};

/// True for "$2a$11$…" and its sisters.
bool is_bcrypt(std::string_view text);
/// Compares `given` with `expected`, which is plain or bcrypt. Takes as long for a wrong secret as
/// for the right one.
bool secret_matches(const std::string& expected, const std::string& given);

}  // namespace martlet::auth
