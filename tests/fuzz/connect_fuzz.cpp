// SPDX-License-Identifier: Apache-2.0
//
// Goal: no text of a CONNECT crashes the reader or makes it keep what it refused. Method: the input
// is read over defaults, and again over its own result, which must change nothing; a refusal names
// itself.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/assert.hpp"
#include "protocol/connect_options.hpp"

namespace {

using martlet::protocol::ConnectOptions;

bool are_equal(const ConnectOptions& a, const ConnectOptions& b) {
  return a.verbose == b.verbose && a.pedantic == b.pedantic && a.echo == b.echo &&
         a.tls_required == b.tls_required && a.headers == b.headers &&
         a.no_responders == b.no_responders && a.has_account == b.has_account &&
         a.protocol == b.protocol && a.user == b.user && a.password == b.password &&
         a.token == b.token && a.nkey == b.nkey && a.signature == b.signature && a.name == b.name &&
         a.language == b.language && a.version == b.version;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  ConnectOptions once;
  const martlet::Status status = martlet::protocol::read_connect(text, once);
  if (!status) {
    MARTLET_ASSERT(status.code() == martlet::ErrorCode::protocol);
    return 0;
  }
  // As in nats-server, null is taken and changes nothing.
  MARTLET_ASSERT(text.find('{') != std::string_view::npos ||
                 text.find("null") != std::string_view::npos);
  ConnectOptions twice = once;
  MARTLET_ASSERT(martlet::protocol::read_connect(text, twice));
  MARTLET_ASSERT(are_equal(once, twice));
  return 0;
}
