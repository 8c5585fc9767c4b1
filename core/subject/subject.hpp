// SPDX-License-Identifier: Apache-2.0
//
// Owns the rules of subject text: what may be subscribed, what may be published under pedantic,
// what matches what. Promises: no allocation, no recursion, one pass over each text, whatever their
// length. A rule holds as nats-server 2.15.2 applies it, not as its documentation words it. Does
// not know limits such as the count of tokens allowed.
#pragma once

#include <cstddef>
#include <string_view>

namespace martlet::subject {

/// What SUB accepts: tokens separated by dots, none empty, `*` and `>` wildcards only as whole
/// tokens (`a*` is an ordinary token), the wildcard `>` only last. Space, tab, CR and LF are
/// refused; any other byte is text, a form feed, NUL and broken UTF-8 too.
[[nodiscard]] bool is_valid(std::string_view subject) noexcept;

/// As is_valid, and without wildcards: what a message should be published on.
[[nodiscard]] bool is_valid_literal(std::string_view subject) noexcept;

/// Why is_valid (or, with `literal`, is_valid_literal) says no, as the end of a sentence; empty
/// when it says yes.
[[nodiscard]] std::string_view fault_of(std::string_view subject, bool literal) noexcept;

/// What PUB accepts from a pedantic client: no token is empty or a wildcard. Any byte is text.
[[nodiscard]] bool has_plain_tokens(std::string_view subject) noexcept;

/// True when no token is the wildcard `*` or `>`. Says nothing about validity.
[[nodiscard]] bool is_literal(std::string_view subject) noexcept;

/// Tokens including empty ones: `a..b` has three, the empty text none.
[[nodiscard]] size_t token_count(std::string_view subject) noexcept;

/// Whether a message published on `literal` reaches a subscription on `pattern`. In `literal` the
/// tokens `*` and `>` are ordinary tokens; a `literal` with an empty token (`a..b`, `.a`, `a.`, the
/// empty text) matches nothing.
[[nodiscard]] bool matches(std::string_view pattern, std::string_view literal) noexcept;

/// Whether every subject that `inner` matches is matched by `outer` also. Both valid patterns; if
/// not, false.
[[nodiscard]] bool is_subset(std::string_view inner, std::string_view outer) noexcept;

}  // namespace martlet::subject
