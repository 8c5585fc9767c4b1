// SPDX-License-Identifier: Apache-2.0
//
// Goal: no header block makes its readers look outside of it, and a block that is built reads back
// as it was. Method: the input is a block, and its lines are put into a new one.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/assert.hpp"
#include "client/header_block.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace martlet::client;
  // A copy of the exact size, so that a look behind its end is seen.
  const std::vector<char> bytes(data, data + size);
  const std::string_view block(bytes.data(), bytes.size());
  const bool valid = check_header_block(block).is_ok();
  (void)header_status(block);
  (void)header_description(block);
  HeaderBlockBuilder builder;
  std::vector<std::pair<std::string, std::string>> lines;
  for_each_header(block, [&](std::string_view key, std::string_view value) {
    std::string_view found;
    MARTLET_ASSERT(!valid || find_header(block, key, &found));
    if (builder.add(key, value).is_ok()) lines.emplace_back(key, value);
  });
  const std::string built = builder.text();
  if (lines.empty()) return 0;
  MARTLET_ASSERT(check_header_block(built).is_ok());
  size_t index = 0;
  for_each_header(built, [&](std::string_view key, std::string_view) {
    MARTLET_ASSERT(key == lines[index].first);
    index += 1;
  });
  MARTLET_ASSERT(index == lines.size());
  return 0;
}
