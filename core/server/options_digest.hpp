// SPDX-License-Identifier: Apache-2.0
//
// Owns the digest by which one sees whether two servers, or one before and after a reload, have the
// same options. Every option counts, wherever it came from; the configuration file's own digest is
// Options::config_digest.
#pragma once

#include <string>

#include "server/options.hpp"

namespace martlet::server {

/// "sha256:…". Secrets count, too, as they do in nats-server's config_digest. Equal for equal
/// options, of any two processes of one version.
std::string options_digest(const Options& options);

}  // namespace martlet::server
