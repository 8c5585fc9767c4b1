// SPDX-License-Identifier: Apache-2.0
//
// Goal: no CONNECT text crashes its reader, and what is read can be read again. Method: the input is the JSON.
#include <cstdint>
#include <string_view>

#include "base/assert.hpp"
#include "base/json.hpp"
#include "protocol/connect_options.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using martlet::protocol::ConnectOptions;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  ConnectOptions options;
  if (!martlet::protocol::read_connect(text, options)) return 0;
  std::string again = "{\"name\":";
  martlet::append_json_string(again, options.name);
  again += ",\"user\":";
  martlet::append_json_string(again, options.user);
  again += options.verbose ? ",\"verbose\":true}" : ",\"verbose\":false}";
  ConnectOptions second;
  MARTLET_ASSERT(martlet::protocol::read_connect(again, second).is_ok());
  MARTLET_ASSERT(second.verbose == options.verbose);
  return 0;
}
