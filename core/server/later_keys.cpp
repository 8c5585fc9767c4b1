// SPDX-License-Identifier: Apache-2.0
//
// Owns two tables. A key leaves them when its feature comes.
#include "server/later_keys.hpp"

#include <algorithm>
#include <array>

namespace martlet::server {
namespace {

struct LaterKey {
  std::string_view name;
  std::string_view missing;
};

constexpr LaterKey top_keys[] = {
    {"https", "TLS"},
    {"https_port", "TLS"},
    {"tls", "TLS"},
    {"allow_non_tls", "TLS"},
    {"ocsp", "OCSP"},
    {"ocsp_cache", "OCSP"},
    {"proxy_protocol", "PROXY protocol"},
    {"proxies", "trusted proxies"},
    {"cluster", "clustering"},
    {"gateway", "gateways"},
    {"leaf", "leaf nodes"},
    {"leafnodes", "leaf nodes"},
    {"websocket", "WebSocket listener"},
    {"ws", "WebSocket listener"},
    {"mqtt", "MQTT listener"},
    {"jetstream", "JetStream"},
    {"store_dir", "JetStream"},
    {"storedir", "JetStream"},
    {"default_js_domain", "JetStream"},
    {"accounts", "accounts in the configuration"},
    {"no_auth_user", "list of users"},
    {"default_sentinel", "JWT authentication"},
    {"system_account", "system account"},
    {"system", "system account"},
    {"no_system_account", "system account"},
    {"no_system", "system account"},
    {"no_sys_acc", "system account"},
    {"operator", "JWT authentication"},
    {"operators", "JWT authentication"},
    {"root", "JWT authentication"},
    {"roots", "JWT authentication"},
    {"root_operator", "JWT authentication"},
    {"root_operators", "JWT authentication"},
    {"trusted", "JWT authentication"},
    {"trusted_keys", "JWT authentication"},
    {"resolver", "JWT authentication"},
    {"account_resolver", "JWT authentication"},
    {"accounts_resolver", "JWT authentication"},
    {"resolver_tls", "JWT authentication"},
    {"resolver_preload", "JWT authentication"},
    {"resolver_pinned_accounts", "JWT authentication"},
    {"mappings", "subject mappings"},
    {"maps", "subject mappings"},
    {"trace_headers", "tracing of headers alone"},
    {"prof_port", "profiling port"},
    {"prof_block_rate", "profiling port"},
    {"feature_flags", "feature flags"},
};

constexpr LaterKey authorization_keys[] = {
    {"users", "list of users"},
    {"default_permission", "list of users"},
    {"default_permissions", "list of users"},
    {"permissions", "list of users"},
    {"auth_callout", "authorization callout"},
    {"auth_hook", "authorization callout"},
    {"proxy_required", "trusted proxies"},
};

template <size_t N>
std::optional<std::string_view> find(const LaterKey (&keys)[N], std::string_view name) {
  const LaterKey* const found =
      std::find_if(keys, keys + N, [name](const LaterKey& key) { return key.name == name; });
  if (found == keys + N) return std::nullopt;
  return found->missing;
}

}  // namespace

std::optional<std::string_view> later_top_key(std::string_view name) {
  return find(top_keys, name);
}

std::optional<std::string_view> later_authorization_key(std::string_view name) {
  return find(authorization_keys, name);
}

}  // namespace martlet::server
