// SPDX-License-Identifier: Apache-2.0
//
// Owns writing, rotating and purging of log files, and the choice between the sinks.
#include "program/log_sinks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>
#include <vector>

#include "io/process.hpp"
#include "io/system_words.hpp"

namespace martlet::program {
namespace {

io::SyslogSeverity severity_of(LogLevel level) {
  switch (level) {
    case LogLevel::fatal:
      return io::SyslogSeverity::critical;
    case LogLevel::error:
      return io::SyslogSeverity::error;
    case LogLevel::warning:
      return io::SyslogSeverity::warning;
    case LogLevel::debug:
      return io::SyslogSeverity::debug;
    case LogLevel::info:
    case LogLevel::trace:
      return io::SyslogSeverity::notice;
  }
  return io::SyslogSeverity::notice;
}

// What is left of a bound on kept files, the current one among them.
size_t archives_kept(int64_t files_max) {
  return files_max > 1 ? static_cast<size_t>(files_max - 1) : 0;
}

}  // namespace

Result<std::unique_ptr<ProgramLog>> open_log(const server::Options& options,
                                             const std::string& program, const Clock& clock) {
  server::LogLineStyle style;
  style.process_id = io::process_id();
  style.has_time = options.logtime;
  style.is_utc = options.logtime_utc;
  if (!options.log_file.empty()) {
    return FileLog::open(options.log_file, {options.logfile_size_limit, options.logfile_max_num},
                         style, clock);
  }
  if (options.syslog || !options.remote_syslog.empty()) {
    Result<io::SyslogClient> client = io::SyslogClient::connect(options.remote_syslog, program);
    if (!client) return client.take_error();
    return std::unique_ptr<ProgramLog>(std::make_unique<SyslogLog>(std::move(*client), clock));
  }
  style.has_colors = io::is_error_terminal();
  return std::unique_ptr<ProgramLog>(std::make_unique<StderrLog>(style, clock));
}

void StderrLog::write(LogLevel level, std::string_view line) {
  const std::string text = server::format_log_line(style_, clock_.wall_ns(), level, line) + "\n";
  const std::lock_guard<std::mutex> lock(mutex_);
  std::fwrite(text.data(), 1, text.size(), stderr);
}

Result<std::unique_ptr<ProgramLog>> FileLog::open(const std::string& path, Bounds bounds,
                                                  server::LogLineStyle style, const Clock& clock) {
  std::unique_ptr<FileLog> log(new FileLog(path, bounds, style, clock));
  {
    const std::lock_guard<std::mutex> lock(log->mutex_);
    Status status = log->open_locked();
    if (!status) return status.take_error();
  }
  return std::unique_ptr<ProgramLog>(std::move(log));
}

Status FileLog::open_locked() {
  std::unique_ptr<std::FILE, Closer> file(std::fopen(path_.c_str(), "ae"));
  if (!file) {
    return {ErrorCode::io,
            fmt::format("error opening file: open {}: {}", path_, io::system_words(errno))};
  }
  std::error_code error;
  const std::uintmax_t size = std::filesystem::file_size(path_, error);
  file_ = std::move(file);
  bytes_ = error ? 0 : static_cast<int64_t>(size);
  return {};
}

void FileLog::write(LogLevel level, std::string_view line) {
  const std::lock_guard<std::mutex> lock(mutex_);
  write_locked(level, line);
  if (bounds_.bytes_max > 0 && bytes_ > bounds_.bytes_max) rotate_locked();
}

void FileLog::write_locked(LogLevel level, std::string_view line) {
  if (!file_) return;
  const std::string text = server::format_log_line(style_, clock_.wall_ns(), level, line) + "\n";
  std::fwrite(text.data(), 1, text.size(), file_.get());
  std::fflush(file_.get());
  bytes_ += static_cast<int64_t>(text.size());
}

void FileLog::rotate_locked() {
  const std::string archive = server::archived_log_name(path_, clock_.wall_ns());
  std::error_code error;
  std::filesystem::rename(path_, archive, error);
  if (error) {
    // Trying again at every line would fill the log with this sentence: the next try comes after as
    // many bytes again.
    bytes_ = 0;
    return write_locked(LogLevel::error, fmt::format("Unable to rotate the log file {}: {}", path_,
                                                     error.message()));
  }
  const Status status = open_locked();
  if (!status)
    return write_locked(LogLevel::error, status.error().context);  // Goes on in the file put aside.
  write_locked(LogLevel::info, fmt::format("Rotated log, backup saved as \"{}\"", archive));
  if (bounds_.files_max > 0) purge_locked();
}

void FileLog::purge_locked() {
  const std::filesystem::path path(path_);
  const std::filesystem::path folder =
      path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
  std::vector<std::filesystem::path> archives;
  std::error_code error;
  std::filesystem::directory_iterator entry(folder, error);
  for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
    const bool is_archive =
        server::is_archived_log_name(path.filename().string(), entry->path().filename().string());
    if (is_archive) archives.push_back(entry->path());
  }
  // Their names begin with the time, so that their order is the order of age.
  std::sort(archives.begin(), archives.end());
  const size_t kept = archives_kept(bounds_.files_max);
  for (size_t i = 0; i + kept < archives.size(); ++i) {
    std::filesystem::remove(archives[i], error);
    const std::string name = archives[i].filename().string();
    if (error) {
      write_locked(LogLevel::error, fmt::format("Unable to remove backup log file \"{}\": {}", name,
                                                error.message()));
    } else {
      write_locked(LogLevel::info, fmt::format("Purged log file \"{}\"", name));
    }
  }
}

bool FileLog::reopen() {
  const std::lock_guard<std::mutex> lock(mutex_);
  const Status status = open_locked();
  if (!status) {
    write_locked(LogLevel::error, status.error().context);
  } else {
    write_locked(LogLevel::info, "File log re-opened");
  }
  return true;
}

void SyslogLog::write(LogLevel level, std::string_view line) {
  const std::lock_guard<std::mutex> lock(mutex_);
  client_.send(severity_of(level), clock_.wall_ns(), line);
}

}  // namespace martlet::program
