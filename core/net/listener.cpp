// SPDX-License-Identifier: Apache-2.0
//
// Owns the accept loop.
#include "net/listener.hpp"

#include "base/out_of_memory.hpp"

namespace martlet::net {

Listener::Listener(io::Loop& loop, io::Fd fd, Accept accept)
    : loop_(loop),
      fd_(std::move(fd)),
      watch_(loop, fd_.get(), *this),
      pause_timer_([](void* self) { static_cast<Listener*>(self)->resume(); }, this),
      accept_(std::move(accept)) {}

Listener::~Listener() { io::shut_down(fd_); }

Status Listener::start() { return watch_.set_interest(true, false); }

void Listener::on_fd_ready(bool, bool) {
  for (int i = 0; i < accepts_per_turn; i++) {
    io::Accepted accepted = io::accept_tcp(fd_.get());
    if (accepted.would_block) return;
    if (accepted.error_number != 0 || !accept_one(std::move(accepted))) {
      pause();
      return;
    }
  }
}

// The newcomer whose turn it was is refused: its socket closes.
bool Listener::accept_one(io::Accepted accepted) {
  bool is_accepted = false;
  return fits_into_memory([&] {
           is_accepted = accept_(
               std::make_unique<transport::TcpStream>(std::move(accepted.fd), accepted.peer));
         }) &&
         is_accepted;
}

// No descriptors or memory now: the waiting connections stay in the kernel's queue for a moment.
void Listener::pause() {
  loop_.start_timer(pause_timer_, pause_ns);
  (void)watch_.set_interest(false, false);
}

void Listener::resume() {
  bool is_on = false;
  if (!fits_into_memory([&] { is_on = watch_.set_interest(true, false).is_ok(); }) || !is_on)
    loop_.start_timer(pause_timer_, pause_ns);
}

}  // namespace martlet::net
