// SPDX-License-Identifier: Apache-2.0
//
// floor: the least work a broker could do on this machine. It speaks just enough of the protocol
// for `blast fan`, `queue` (as fan-out to one) and `rtt`, knows no matching, no permissions and no
// limits: one thread, one epoll loop, one copy per delivery, one write per loop turn. Its figures
// are the floor the real broker's are held against.   usage: floor PORT
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>
struct C {
  int fd;
  std::string in, out;
  size_t off = 0;
  bool dirty = false, want = false;
};
struct Sub {
  C* c;
  std::string sid;
};
static std::unordered_map<std::string, std::vector<Sub>> subs;
int main(int, char** v) {
  int l = socket(AF_INET, SOCK_STREAM, 0), one = 1;
  setsockopt(l, SOL_SOCKET, SO_REUSEADDR, &one, 4);
  sockaddr_in a{};
  a.sin_family = AF_INET;
  a.sin_port = htons(atoi(v[1]));
  inet_pton(AF_INET, "127.0.0.1", &a.sin_addr);
  if (bind(l, (sockaddr*)&a, sizeof a) || listen(l, 1024)) {
    perror("bind");
    return 1;
  }
  int ep = epoll_create1(0);
  epoll_event e{EPOLLIN, {.ptr = nullptr}};
  epoll_ctl(ep, EPOLL_CTL_ADD, l, &e);
  std::vector<C*> dirty;
  static char buf[1 << 17];
  std::vector<epoll_event> ev(256);
  std::string subj;
  auto mark = [&](C* c) {
    if (!c->dirty) {
      c->dirty = true;
      dirty.push_back(c);
    }
  };
  auto flush = [&](C* c) {
    while (c->off < c->out.size()) {
      ssize_t n =
          send(c->fd, c->out.data() + c->off, c->out.size() - c->off, MSG_NOSIGNAL | MSG_DONTWAIT);
      if (n <= 0) break;
      c->off += n;
    }
    bool w = c->off < c->out.size();
    if (!w) {
      c->out.clear();
      c->off = 0;
    }
    if (w != c->want) {
      c->want = w;
      epoll_event x{EPOLLIN | (w ? EPOLLOUT : 0u), {.ptr = c}};
      epoll_ctl(ep, EPOLL_CTL_MOD, c->fd, &x);
    }
  };
  for (;;) {
    int n = epoll_wait(ep, ev.data(), 256, -1);
    for (int i = 0; i < n; i++) {
      C* c = (C*)ev[i].data.ptr;
      if (!c) {
        int fd = accept(l, nullptr, nullptr);
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, 4);
        c = new C{fd};
        epoll_event x{EPOLLIN, {.ptr = c}};
        epoll_ctl(ep, EPOLL_CTL_ADD, fd, &x);
        c->out = "INFO {}\r\n";
        mark(c);
        continue;
      }
      if (ev[i].events & EPOLLOUT) mark(c);
      if (!(ev[i].events & EPOLLIN)) continue;
      ssize_t k = recv(c->fd, buf, sizeof buf, MSG_DONTWAIT);
      if (k == 0) {
        close(c->fd);
        for (auto& [_, s] : subs) std::erase_if(s, [&](Sub& y) { return y.c == c; });
        continue;
      }
      if (k < 0) continue;
      std::string_view d(buf, k);
      if (!c->in.empty()) {
        c->in.append(buf, k);
        d = c->in;
      }
      size_t p = 0;
      for (;;) {
        const char* q = (const char*)memchr(d.data() + p, '\n', d.size() - p);
        if (!q) break;
        std::string_view line(d.data() + p, q - d.data() - p - 1);
        size_t next = q - d.data() + 1;
        if (line.starts_with("PUB ")) {
          size_t s1 = line.find(' ', 4), s2 = line.rfind(' ');
          size_t len = atoi(line.data() + s2 + 1);
          if (d.size() < next + len + 2) break;
          subj.assign(line.substr(4, s1 - 4));
          auto it = subs.find(subj);
          if (it != subs.end())
            for (auto& s : it->second) {
              if (s.c->out.size() - s.c->off > (8u << 20))
                while (s.c->off < s.c->out.size()) {
                  flush(s.c);
                }
              auto& o = s.c->out;
              o += "MSG ";
              o += subj;
              o += ' ';
              o += s.sid;
              o.append(line.data() + s1, line.size() - s1);
              o += "\r\n";
              o.append(d.data() + next, len + 2);
              mark(s.c);
            }
          next += len + 2;
        } else if (line.starts_with("SUB ")) {
          size_t s1 = line.find(' ', 4);
          subs[std::string(line.substr(4, s1 - 4))].push_back(
              {c, std::string(line.substr(line.rfind(' ') + 1))});
        } else if (line == "PING") {
          c->out += "PONG\r\n";
          mark(c);
        }
        p = next;
      }
      if (c->in.empty())
        c->in.assign(d.data() + p, d.size() - p);
      else
        c->in.erase(0, p);
    }
    for (C* c : dirty) {
      c->dirty = false;
      flush(c);
    }
    dirty.clear();
  }
}
