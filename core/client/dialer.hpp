// SPDX-License-Identifier: Apache-2.0
//
// Owns one attempt to reach a server: connect, read INFO, send CONNECT and PING, wait for PONG.
// Ends with a stream that the server has accepted, or with the reason why not. Lives on a loop.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "client/name_lookup.hpp"
#include "client/server_greeting.hpp"
#include "client/server_parser.hpp"
#include "io/loop.hpp"
#include "io/socket.hpp"
#include "io/timer_wheel.hpp"
#include "link/connector.hpp"
#include "transport/byte_stream.hpp"

namespace martlet::client {

struct Dialed {
  std::unique_ptr<transport::ByteStream> stream;  // Not attached.
  ServerInfo info;
  std::string rest;  // What came behind the PONG.
};

class DialerOwner {
 public:
  virtual void on_dialed(Dialed dialed) = 0;
  virtual void on_dial_failed(Error error) = 0;

 protected:
  ~DialerOwner() = default;
};

/// Lifecycle: dial, then one of the owner's calls, then dial again; or cancel at any time. The
/// owner may dial and cancel inside its calls.
class Dialer final : private transport::StreamHandler,
                     private ServerOperations,
                     private NameLookupOwner {
 public:
  Dialer(io::Loop& loop, const ConnectionOptions& options, DialerOwner& owner,
         NameLookup::Resolver resolver = io::resolve);

  /// A name is looked up meanwhile, within the same time. `credentials` may be null.
  void dial(const ServerUrl& url, const ServerUrl* credentials);
  void dial(link::Connector& connector);
  void cancel();
  bool is_dialing() const { return is_dialing_; }

 private:
  void begin(const ServerUrl* credentials, std::string target);
  void on_looked_up(Result<std::vector<io::Address>> addresses) override;
  void try_next_address();
  void take_stream(std::unique_ptr<transport::ByteStream> stream, bool is_connected);
  void on_timeout();
  void fail(ErrorCode code, std::string why);
  void greet();
  void pump_greeting();
  void read_input();

  void on_stream_ready(bool readable, bool writable) override;
  void do_what_is_ready(bool readable, bool writable);
  bool on_message(const ServerMessage&) override { return true; }
  void on_info(std::string_view json) override;
  void on_ping() override { greeting_ += "PONG\r\n"; }
  void on_pong() override { is_accepted_ = greeted_; }
  void on_error(std::string_view text) override;
  bool is_over() const override { return is_accepted_ || error_.has_value(); }

  io::Loop& loop_;
  const ConnectionOptions& options_;
  DialerOwner& owner_;
  NameLookup lookup_;
  io::Timer timeout_;
  std::string target_;  // For messages.
  std::optional<ServerUrl> credentials_;
  std::vector<io::Address> addresses_;
  size_t next_address_ = 0;
  std::string last_reason_;
  std::unique_ptr<transport::ByteStream> stream_;
  ServerParser parser_;
  std::string input_;
  std::string greeting_;  // Not written yet.
  std::optional<ServerInfo> info_;
  std::optional<Error> error_;
  bool is_dialing_ = false;
  bool is_connected_ = false;
  bool greeted_ = false;
  bool is_accepted_ = false;
};

}  // namespace martlet::client
