// SPDX-License-Identifier: Apache-2.0
//
// Owns the reading of configuration files, bounded, with the standard library alone.
#include "server/config_source.hpp"

#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <system_error>

#include "io/system_words.hpp"

namespace martlet::server {
namespace {

// Nobody writes a configuration this long; a device or a wrong path would otherwise be read for
// ever.
constexpr size_t config_file_bytes_max = 16U * 1024 * 1024;

struct FileCloser {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

}  // namespace

Result<std::string> SystemConfigSource::read_file(const std::string& path) const {
  const std::unique_ptr<std::FILE, FileCloser> file(std::fopen(path.c_str(), "rb"));
  if (!file) return {ErrorCode::io, fmt::format("open {}: {}", path, io::system_words(errno))};
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) {
    return {ErrorCode::io, fmt::format("read {}: is a directory", path)};
  }
  std::string text;
  std::array<char, 16384> chunk{};
  for (;;) {
    const size_t got = std::fread(chunk.data(), 1, chunk.size(), file.get());
    text.append(chunk.data(), got);
    if (text.size() > config_file_bytes_max) {
      return {ErrorCode::limit_reached,
              fmt::format("read {}: a configuration file of more than {} bytes", path,
                          config_file_bytes_max)};
    }
    if (got < chunk.size()) break;
  }
  if (std::ferror(file.get()) != 0) {
    return {ErrorCode::io, fmt::format("read {}: {}", path, io::system_words(errno))};
  }
  return text;
}

std::optional<std::string> SystemConfigSource::environment(const std::string& name) const {
  const char* value = std::getenv(name.c_str());
  if (value == nullptr) return std::nullopt;
  return std::string(value);
}

Result<std::string> ClosedConfigSource::read_file(const std::string& path) const {
  return {ErrorCode::unsupported, fmt::format("open {}: files are not read here", path)};
}

std::optional<std::string> ClosedConfigSource::environment(const std::string&) const {
  return std::nullopt;
}

}  // namespace martlet::server
