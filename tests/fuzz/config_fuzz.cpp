// SPDX-License-Identifier: Apache-2.0
//
// Goal: no configuration text crashes the reader, runs away with memory, or reads differently
// twice; a refusal is one sentence. Method: the input is the text, and what stands behind its first
// NUL is the file that it may include and the environment that its variables may name; what can be
// read becomes options too.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/assert.hpp"
#include "server/config_language.hpp"
#include "server/config_options.hpp"
#include "server/config_source.hpp"

namespace {

using namespace martlet;
using namespace martlet::server;

class OneFile final : public ConfigSource {
 public:
  explicit OneFile(std::string_view text) : text_(text) {}
  Result<std::string> read_file(const std::string& path) const override {
    if (path.find("none") != std::string::npos) return Error{ErrorCode::io, "open " + path};
    return text_;
  }
  std::optional<std::string> environment(const std::string& name) const override {
    if (name.size() % 2 == 0) return std::nullopt;
    return text_;
  }

 private:
  std::string text_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const size_t stop = input.find('\0');
  const OneFile source(stop == std::string_view::npos ? "" : input.substr(stop + 1));
  const std::string_view text = input.substr(0, stop);

  const Result<ConfigTree> once = parse_config_text(text, "fuzz.conf", source);
  const Result<ConfigTree> twice = parse_config_text(text, "fuzz.conf", source);
  MARTLET_ASSERT(once.is_ok() == twice.is_ok());
  if (!once) {
    MARTLET_ASSERT(!once.error().context.empty());
    MARTLET_ASSERT(once.error().context == twice.error().context);
    return 0;
  }
  MARTLET_ASSERT(once->json() == twice->json());
  MARTLET_ASSERT(once->digest() == twice->digest());
  const Result<ConfiguredOptions> options = options_from_config(*once, Options());
  if (!options) {
    MARTLET_ASSERT(!options.error().context.empty());
  } else {
    const Status checked = check_options(options->options);
    MARTLET_ASSERT(checked || !checked.error().context.empty());
  }
  return 0;
}
