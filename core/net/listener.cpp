// SPDX-License-Identifier: Apache-2.0
//
// Owns the accept loop.
#include "net/listener.hpp"

namespace martlet::net {

Listener::Listener(io::Loop& loop, io::Fd fd, Accept accept)
    : loop_(loop),
      fd_(std::move(fd)),
      watch_(loop, fd_.get(), *this),
      pause_timer_(
          [](void* self) { (void)static_cast<Listener*>(self)->watch_.set_interest(true, false); },
          this),
      accept_(std::move(accept)) {}

Listener::~Listener() = default;

Status Listener::start() { return watch_.set_interest(true, false); }

void Listener::on_fd_ready(bool, bool) {
  for (int i = 0; i < accepts_per_turn; i++) {
    io::Accepted accepted = io::accept_tcp(fd_.get());
    if (accepted.would_block) return;
    if (accepted.error_number != 0) {
      // No descriptors or memory now: the waiting connections stay in the kernel's queue for a
      // moment.
      (void)watch_.set_interest(false, false);
      loop_.start_timer(pause_timer_, pause_ns);
      return;
    }
    accept_(std::make_unique<transport::TcpStream>(std::move(accepted.fd), accepted.peer));
  }
}

}  // namespace martlet::net
