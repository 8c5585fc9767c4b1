// SPDX-License-Identifier: Apache-2.0
//
// Goal: no configuration text crashes the reader, loops, or leaves a broken tree. Method: libFuzzer
// over parse_config_text, then options_from_config and parse_options_json, with a source that has
// one file and one variable, so that includes and variables are reached too. What was accepted must
// read the same a second time.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>

#include "server/config_language.hpp"
#include "server/config_options.hpp"
#include "server/options_json.hpp"

namespace {

using namespace martlet;

class OneFileSource final : public server::ConfigSource {
 public:
  explicit OneFileSource(std::string_view text) : text_(text) {}
  Result<std::string> read_file(const std::string& path) const override {
    if (path != "a") return {ErrorCode::io, "open " + path + ": no such file or directory"};
    return text_;
  }
  std::optional<std::string> environment(const std::string& name) const override {
    if (name != "E") return std::nullopt;
    return text_;
  }

 private:
  std::string text_;
};

void require(bool condition) {
  if (!condition) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  // Behind a byte 1 stands what the included file and the variable hold.
  const size_t split = input.find('\1');
  const std::string_view text = input.substr(0, split);
  const OneFileSource source(split == std::string_view::npos ? std::string_view()
                                                             : input.substr(split + 1));

  const Result<server::ConfigTree> tree = server::parse_config_text(text, "main", source);
  if (tree) {
    const Result<server::ConfigTree> again = server::parse_config_text(text, "main", source);
    require(again.is_ok() && again->json() == tree->json());
    require(tree->digest().size() == 71);
    const Result<server::ConfiguredOptions> configured =
        server::options_from_config(*tree, server::Options{});
    require(configured.is_ok() || !configured.error().context.empty());
  } else {
    require(!tree.error().context.empty());
  }
  const Result<server::Options> options = server::parse_options_json(text);
  require(options.is_ok() || options.code() == ErrorCode::invalid_options);
  return 0;
}
