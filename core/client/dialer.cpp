// SPDX-License-Identifier: Apache-2.0
//
// Owns the steps of an attempt.
#include "client/dialer.hpp"

#include <fmt/format.h>

#include "base/out_of_memory.hpp"
#include "transport/tcp_stream.hpp"

namespace martlet::client {
namespace {

constexpr size_t read_bytes = 16 * 1024;

}  // namespace

Dialer::Dialer(io::Loop& loop, const ConnectionOptions& options, DialerOwner& owner,
               NameLookup::Resolver resolver)
    : loop_(loop),
      options_(options),
      owner_(owner),
      lookup_(loop, *this, std::move(resolver)),
      timeout_([](void* self) { static_cast<Dialer*>(self)->on_timeout(); }, this) {}

void Dialer::on_timeout() {
  fail(ErrorCode::timeout,
       lookup_.is_looking() ? "the host name was not looked up in time" : "no answer in time");
}

void Dialer::begin(const ServerUrl* credentials, std::string target) {
  cancel();
  target_ = std::move(target);
  credentials_.reset();
  if (credentials != nullptr) credentials_ = *credentials;
  is_dialing_ = true;
  loop_.start_timer(timeout_, loop_.clock().monotonic_ns() - loop_.now_ns() +
                                  options_.connect_timeout_ms * ns_per_ms);
}

void Dialer::dial(const ServerUrl& url, const ServerUrl* credentials) {
  begin(credentials, url.text());
  if (io::is_numeric_host(url.host)) {
    on_looked_up(io::resolve(url.host, url.port));
    return;
  }
  Status status = lookup_.start(url.host, url.port);
  if (!status) fail(ErrorCode::no_servers, status.error().context);
}

void Dialer::on_looked_up(Result<std::vector<io::Address>> addresses) {
  if (!addresses) {
    fail(ErrorCode::no_servers, addresses.error().context);
    return;
  }
  addresses_ = std::move(*addresses);
  next_address_ = 0;
  last_reason_ = "the name has no address";
  try_next_address();
}

void Dialer::dial(link::Connector& connector) {
  begin(nullptr, "the broker in this process");
  Result<std::unique_ptr<transport::ByteStream>> stream = connector.connect();
  if (!is_dialing_) return;  // What the server said of it ran a wake-up, which closed us.
  if (!stream) {
    fail(stream.code(), stream.error().context);
    return;
  }
  take_stream(std::move(*stream), true);
}

void Dialer::try_next_address() {
  stream_.reset();
  while (next_address_ < addresses_.size()) {
    const io::Address& address = addresses_[next_address_++];
    Result<io::Fd> fd = io::connect_tcp(address);
    if (fd) {
      take_stream(std::make_unique<transport::TcpStream>(std::move(*fd), address), false);
      return;
    }
    last_reason_ = fd.error().context;
  }
  fail(ErrorCode::no_servers, last_reason_);
}

void Dialer::take_stream(std::unique_ptr<transport::ByteStream> stream, bool is_connected) {
  stream_ = std::move(stream);
  is_connected_ = is_connected;
  Status status = stream_->attach(loop_, *this);
  if (status) status = stream_->set_interest(is_connected, !is_connected);
  if (!status) fail(status.code(), status.error().context);
}

void Dialer::cancel() {
  lookup_.cancel();
  loop_.stop_timer(timeout_);
  is_dialing_ = is_connected_ = greeted_ = is_accepted_ = false;
  stream_.reset();
  input_.clear();
  greeting_.clear();
  info_.reset();
  error_.reset();
  addresses_.clear();
}

void Dialer::fail(ErrorCode code, std::string why) {
  Error error{code, fmt::format("{}: {}", target_, why)};
  cancel();
  owner_.on_dial_failed(std::move(error));
}

void Dialer::on_stream_ready(bool readable, bool writable) {
  if (fits_into_memory([&] { do_what_is_ready(readable, writable); }) || !is_dialing_) return;
  // Should there be none for this either, the timeout ends the attempt.
  (void)fits_into_memory([this] { fail(ErrorCode::out_of_memory, "no memory"); });
}

void Dialer::do_what_is_ready(bool readable, bool writable) {
  if (!is_connected_) {
    const int error_number = io::connect_error(stream_->descriptor());
    if (error_number != 0) {
      last_reason_ = io::error_text(error_number);
      try_next_address();
      return;
    }
    is_connected_ = true;
    if (!stream_->set_interest(true, false)) fail(ErrorCode::io, "the loop refused the socket");
    return;
  }
  if (writable) pump_greeting();
  if (readable && is_dialing_) read_input();
}

void Dialer::read_input() {
  const size_t before = input_.size();
  input_.resize(before + read_bytes);
  const transport::StreamResult result = stream_->read(input_.data() + before, read_bytes);
  input_.resize(before + result.bytes);
  if (result.state == transport::StreamState::closed) {
    fail(error_ ? error_->code : ErrorCode::disconnected, "the server closed the connection");
    return;
  }
  if (result.state == transport::StreamState::failed) {
    fail(ErrorCode::disconnected, io::error_text(result.error_number));
    return;
  }
  const Result<ServerParser::Progress> progress =
      parser_.parse(input_.data(), input_.size(), *this);
  if (!progress) {
    fail(progress.code(), progress.error().context);
    return;
  }
  input_.erase(0, progress->consumed);
  if (error_) {
    fail(error_->code, error_->context);
    return;
  }
  if (info_ && !greeted_) greet();
  if (!is_dialing_) return;
  if (is_accepted_) {
    stream_->detach();
    Dialed dialed{std::move(stream_), std::move(*info_), std::move(input_)};
    cancel();
    owner_.on_dialed(std::move(dialed));
    return;
  }
  pump_greeting();
}

void Dialer::on_info(std::string_view json) {
  Result<ServerInfo> info = parse_server_info(json);
  if (!info) {
    error_ = info.take_error();
  } else if (info->tls_required) {
    error_ =
        Error{ErrorCode::unsupported, "the server wants TLS, which this version does not speak"};
  } else {
    info_ = std::move(*info);
  }
}

void Dialer::on_error(std::string_view text) {
  error_ = Error{code_of_server_error(text), fmt::format("the server said \"{}\"", text)};
}

void Dialer::greet() {
  greeted_ = true;
  greeting_ += connect_line(options_, credentials_ ? &*credentials_ : nullptr, *info_);
  greeting_ += "PING\r\n";
}

void Dialer::pump_greeting() {
  while (!greeting_.empty()) {
    const io::IoSlice slice{greeting_.data(), greeting_.size()};
    const transport::StreamResult result = stream_->write(&slice, 1);
    if (result.state != transport::StreamState::ok) break;  // What broke is read as the reason.
    greeting_.erase(0, result.bytes);
  }
  if (!stream_->set_interest(true, !greeting_.empty()))
    fail(ErrorCode::io, "the loop refused the socket");
}

}  // namespace martlet::client
