// SPDX-License-Identifier: Apache-2.0
//
// Owns the writing of the pid file and the ports file.
#include "program/server_files.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <system_error>
#include <utility>

#include "base/json_writer.hpp"
#include "io/interfaces.hpp"
#include "io/system_words.hpp"

namespace martlet::program {
namespace {

Status write_file(const std::string& path, const std::string& text) {
  const auto refuse = [&path] {
    return Status(ErrorCode::io, fmt::format("open {}: {}", path, io::system_words(errno)));
  };
  std::FILE* const file = std::fopen(path.c_str(), "we");
  if (file == nullptr) return refuse();
  const bool written = std::fwrite(text.data(), 1, text.size(), file) == text.size();
  const bool closed = std::fclose(file) == 0;
  return written && closed ? Status() : refuse();
}

}  // namespace

Status write_pid_file(const std::string& path, int64_t process_id) {
  return write_file(path, std::to_string(process_id));
}

std::vector<std::string> listened_hosts(const std::string& host) {
  if (host == "0.0.0.0" || host.empty()) return io::interface_addresses(io::AddressFamily::four);
  if (host == "::") return io::interface_addresses(io::AddressFamily::both);
  return {host};
}

std::string ports_json(const Ports& ports) {
  JsonWriter json(JsonWriter::Style::compact);
  json.open_object();
  if (!ports.clients.empty()) json.texts("nats", ports.clients);
  if (!ports.monitoring.empty()) json.texts("monitoring", ports.monitoring);
  json.close_object();
  return json.take();
}

Result<PortsFile> PortsFile::create(const std::string& folder, const std::string& program,
                                    int64_t process_id, const Ports& ports) {
  const std::string path =
      (std::filesystem::path(folder) / fmt::format("{}_{}.ports", program, process_id)).string();
  // Whoever waits for the file must not read half of it.
  const std::string unfinished = path + ".unfinished";
  Status status = write_file(unfinished, ports_json(ports));
  if (!status) return status.take_error();
  std::error_code error;
  std::filesystem::rename(unfinished, path, error);
  if (error) return {ErrorCode::io, fmt::format("rename {}: {}", path, error.message())};
  return PortsFile(path);
}

PortsFile::PortsFile(PortsFile&& other) noexcept
    : path_(std::exchange(other.path_, std::string())) {}

PortsFile::~PortsFile() {
  if (path_.empty()) return;
  std::error_code ignored;
  std::filesystem::remove(path_, ignored);
}

}  // namespace martlet::program
