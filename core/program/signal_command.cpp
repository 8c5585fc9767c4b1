// SPDX-License-Identifier: Apache-2.0
//
// Owns the reading of `-sl` and the search for the processes that it means.
#include "program/signal_command.hpp"

#include <fmt/format.h>

#include <charconv>
#include <cstdint>
#include <optional>
#include <string_view>

#include "server/config_source.hpp"

namespace martlet::program {
namespace {

Status refuse(std::string sentence) { return {ErrorCode::invalid_argument, std::move(sentence)}; }

Result<io::ProcessSignal> signal_of(std::string_view command) {
  if (command == "stop") return io::ProcessSignal::kill;
  if (command == "quit") return io::ProcessSignal::interrupt;
  if (command == "term") return io::ProcessSignal::terminate;
  if (command == "reopen") return io::ProcessSignal::user1;
  if (command == "reload")
    return {ErrorCode::unsupported, "signal \"reload\" comes later: this version has no reload"};
  if (command == "ldm")
    return {ErrorCode::unsupported,
            "signal \"ldm\" comes later: this version has no lame duck mode"};
  return {ErrorCode::invalid_argument, fmt::format("unknown signal \"{}\"", command)};
}

std::optional<int64_t> parse_pid(std::string_view text) {
  int64_t pid = 0;
  const std::from_chars_result read = std::from_chars(text.data(), text.data() + text.size(), pid);
  if (read.ec != std::errc() || read.ptr != text.data() + text.size()) return std::nullopt;
  // To the system, what is below 1 is a group of processes or all of them.
  if (pid < 1 || pid > INT32_MAX) return std::nullopt;
  return pid;
}

std::string without_blanks(std::string text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' '))
    text.pop_back();
  return text;
}

/// The processes that `who` means: a number, the beginning of several (`12*`), or whichever one
/// runs.
Result<std::vector<int64_t>> find_processes(std::string who, const std::string& called_as,
                                            const Processes& processes) {
  const bool is_pattern = who.ends_with('*');
  if (is_pattern) who.pop_back();
  const std::optional<int64_t> pid = parse_pid(who);
  if (!who.empty() && !pid)
    return {ErrorCode::invalid_argument, fmt::format("invalid pid: {}", who)};
  if (pid && !is_pattern) return std::vector<int64_t>{*pid};
  std::vector<int64_t> running = processes.called(called_as);
  std::erase_if(running, [&who](int64_t one) { return !std::to_string(one).starts_with(who); });
  if (running.empty())
    return {ErrorCode::invalid_argument, fmt::format("no {} processes running", called_as)};
  if (running.size() > 1 && !is_pattern) {
    std::string sentence = fmt::format("multiple {} processes running:", called_as);
    for (const int64_t one : running) sentence += fmt::format("\n{}", one);
    return {ErrorCode::invalid_argument, std::move(sentence)};
  }
  return running;
}

}  // namespace

std::vector<int64_t> SystemProcesses::called(const std::string& words) const {
  return io::processes_called(words);
}

Status SystemProcesses::send(int64_t pid, io::ProcessSignal signal) const {
  return io::send_signal(pid, signal);
}

Result<std::string> SystemProcesses::read_file(const std::string& path) const {
  return server::SystemConfigSource().read_file(path);
}

Status run_signal_command(const std::string& text, const std::string& called_as,
                          const Processes& processes) {
  const size_t equals = text.find('=');
  const std::string command = text.substr(0, equals);
  std::string who = equals == std::string::npos ? "" : text.substr(equals + 1);
  const size_t second = who.find('=');
  if (second != std::string::npos)
    return refuse(fmt::format("invalid signal parameters: [{}]", who.substr(second + 1)));
  Result<io::ProcessSignal> signal = signal_of(command);
  if (!signal) return signal.take_error();
  // A file of that name holds the number.
  if (!who.empty()) {
    const Result<std::string> file = processes.read_file(who);
    if (file) who = without_blanks(*file);
  }
  Result<std::vector<int64_t>> found = find_processes(who, called_as, processes);
  if (!found) return found.take_error();
  std::string failures;
  for (const int64_t pid : *found) {
    const Status sent = processes.send(pid, *signal);
    if (!sent)
      failures += fmt::format("\nsignal \"{}\" {}: {}", command, pid, sent.error().context);
  }
  return failures.empty() ? Status() : Status(ErrorCode::io, failures);
}

}  // namespace martlet::program
