// SPDX-License-Identifier: Apache-2.0
//
// Owns process.hpp over POSIX and the /proc of Linux.
#include "io/process.hpp"

#include <dirent.h>
#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string_view>

#include "io/system_words.hpp"

namespace martlet::io {
namespace {

struct DirectoryCloser {
  void operator()(DIR* directory) const { closedir(directory); }
};

struct FileCloser {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

int number_of(ProcessSignal signal) {
  switch (signal) {
    case ProcessSignal::kill:
      return SIGKILL;
    case ProcessSignal::interrupt:
      return SIGINT;
    case ProcessSignal::terminate:
      return SIGTERM;
    case ProcessSignal::user1:
      return SIGUSR1;
    case ProcessSignal::user2:
      return SIGUSR2;
    case ProcessSignal::hangup:
      return SIGHUP;
  }
  return 0;
}

// The command line of a process with a blank between its words, and no folder before the first;
// empty when it cannot be read.
std::string command_line_of(std::string_view pid) {
  const std::string path = fmt::format("/proc/{}/cmdline", pid);
  const std::unique_ptr<std::FILE, FileCloser> file(std::fopen(path.c_str(), "rb"));
  if (!file) return {};
  std::array<char, 4096> text{};
  const size_t got = std::fread(text.data(), 1, text.size(), file.get());
  std::string line(text.data(), got);
  const size_t folder_end = line.substr(0, line.find('\0')).rfind('/');
  if (folder_end != std::string::npos) line.erase(0, folder_end + 1);
  std::replace(line.begin(), line.end(), '\0', ' ');
  return line;
}

}  // namespace

int64_t process_id() { return getpid(); }

std::vector<int64_t> processes_called(const std::string& words) {
  std::vector<int64_t> found;
  const std::unique_ptr<DIR, DirectoryCloser> directory(opendir("/proc"));
  if (!directory) return found;
  while (const dirent* entry = readdir(directory.get())) {
    const std::string_view text(entry->d_name);
    int64_t pid = 0;
    const std::from_chars_result read =
        std::from_chars(text.data(), text.data() + text.size(), pid);
    if (read.ec != std::errc() || read.ptr != text.data() + text.size() || pid == process_id())
      continue;
    if ((command_line_of(text) + " ").starts_with(words + " ")) found.push_back(pid);
  }
  std::sort(found.begin(), found.end());
  return found;
}

Status send_signal(int64_t pid, ProcessSignal signal) {
  // Zero and what is below are groups and everybody; more would be cut to another process.
  if (pid < 1 || pid > INT32_MAX) return {ErrorCode::io, system_words(ESRCH)};
  if (::kill(static_cast<pid_t>(pid), number_of(signal)) == 0) return {};
  return {ErrorCode::io, system_words(errno)};
}

bool is_error_terminal() { return isatty(STDERR_FILENO) == 1; }

std::string host_name() {
  std::array<char, 256> name{};
  if (gethostname(name.data(), name.size() - 1) != 0 || name[0] == '\0') return "localhost";
  return name.data();
}

}  // namespace martlet::io
