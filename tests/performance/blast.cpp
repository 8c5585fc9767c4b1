// SPDX-License-Identifier: Apache-2.0
//
// blast: a thin NATS load generator, so that the server under test, not its client, is what is
// measured. Sends pre-encoded protocol from large buffers; subscribers count bytes, as every
// delivered message has a known size. `blast MODE ADDR PORT ...`:
//
//   pub    PUBS MSGS SIZE            publish MSGS in all over PUBS connections, nobody listening
//   fan    PUBS SUBS MSGS SIZE       every subscriber gets every message
//   queue  PUBS SUBS MSGS SIZE       subscribers share one queue group
//   wild   SUBJECTS MSGS SIZE        SUBJECTS wildcard subscriptions on one connection, one
//                                    of them matches each message
//   rtt    COUNT SIZE                request/reply one at a time: latency percentiles
//   idle   CONNS                     hold CONNS connections with one subscription each
//   js     STREAM WINDOW MSGS SIZE   JetStream publish, WINDOW acks outstanding (creates
//                                    STREAM, file storage)
//
// SERVER_PID=<pid> in the environment adds the server's CPU seconds and peak memory.
// Prints one JSON object on one line.
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>
#include <string_view>
#include <thread>
#include <vector>
using Clock = std::chrono::steady_clock;
static double now() {
  return std::chrono::duration<double>(Clock::now().time_since_epoch()).count();
}
[[noreturn]] static void die(const std::string& m) {
  fprintf(stderr, "blast: %s\n", m.c_str());
  exit(1);
}

static double server_cpu() {
  const char* p = getenv("SERVER_PID");
  if (!p) return 0;
  std::ifstream f(std::string("/proc/") + p + "/stat");
  std::string s;
  std::getline(f, s);
  auto i = s.rfind(')');
  long u = 0, k = 0;
  if (i == s.npos) return 0;
  sscanf(s.c_str() + i + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %ld %ld", &u, &k);
  return double(u + k) / sysconf(_SC_CLK_TCK);
}
static long server_kib(const char* key) {
  const char* p = getenv("SERVER_PID");
  if (!p) return 0;
  std::ifstream f(std::string("/proc/") + p + "/status");
  std::string s;
  while (std::getline(f, s))
    if (s.rfind(key, 0) == 0) return atol(s.c_str() + strlen(key) + 1);
  return 0;
}

struct Conn {
  int fd = -1;
  std::string in;
  Conn(const std::string& a, int port, const char* extra = "") {
    fd = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in sa{};
    sa.sin_family = AF_INET;
    sa.sin_port = htons(port);
    inet_pton(AF_INET, a.c_str(), &sa.sin_addr);
    if (connect(fd, (sockaddr*)&sa, sizeof sa)) die("connect: " + std::string(strerror(errno)));
    int one = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    line();
    send(
        "CONNECT "
        "{\"verbose\":false,\"pedantic\":false,\"lang\":\"blast\",\"version\":\"1\",\"protocol\":1,"
        "\"headers\":true,\"no_responders\":true" +
        std::string(extra) + "}\r\nPING\r\n");
    until("PONG\r\n");
  }
  void send(std::string_view d) {
    while (!d.empty()) {
      ssize_t n = ::send(fd, d.data(), d.size(), MSG_NOSIGNAL);
      if (n <= 0) die("send: " + std::string(strerror(errno)));
      d.remove_prefix(n);
    }
  }
  void fill() {
    char b[65536];
    ssize_t n = recv(fd, b, sizeof b, 0);
    if (n <= 0) die("closed by server; last input: " + in.substr(0, 200));
    in.append(b, n);
    if (in.find("-ERR") != in.npos) die(in.substr(in.find("-ERR"), 100));
  }
  std::string line() {
    for (;;) {
      auto i = in.find("\r\n");
      if (i != in.npos) {
        auto l = in.substr(0, i);
        in.erase(0, i + 2);
        return l;
      }
      fill();
    }
  }
  void until(std::string_view w) {
    for (;;) {
      auto i = in.find(w);
      if (i != in.npos) {
        in.erase(0, i + w.size());
        return;
      }
      fill();
    }
  }
  void flush() {
    send("PING\r\n");
    until("PONG\r\n");
  }
};

static std::string pub_block(const std::string& subject, int size, int count) {
  std::string one = "PUB " + subject + " " + std::to_string(size) + "\r\n" +
                    std::string(size, 'x') + "\r\n",
              b;
  for (int i = 0; i < count; i++) b += one;
  return b;
}
static void report(const char* mode, double secs, long msgs, long delivered, double cpu,
                   const std::string& more = "") {
  printf(
      "{\"mode\":\"%s\",\"seconds\":%.3f,\"msgs_per_s\":%.0f,\"delivered_per_s\":%.0f,\"server_cpu_"
      "s\":%.2f,\"cpu_us_per_msg\":%.4f,\"server_rss_mib\":%.1f,\"server_peak_mib\":%.1f%s}\n",
      mode, secs, msgs / secs, delivered / secs, cpu,
      cpu * 1e6 / std::max(1l, delivered ? delivered : msgs), server_kib("VmRSS:") / 1024.0,
      server_kib("VmHWM:") / 1024.0, more.c_str());
}
static void publish(Conn& c, const std::string& subject, int size, long msgs) {
  const int block = std::max(1, std::min(512, 65536 / (size + 32)));
  std::string b = pub_block(subject, size, block);
  for (long left = msgs; left > 0;) {
    if (left >= block) {
      c.send(b);
      left -= block;
    } else {
      c.send(pub_block(subject, size, (int)left));
      left = 0;
    }
  }
}
static void count_bytes(int fd, long bytes) {
  static thread_local std::vector<char> b(1 << 20);
  while (bytes > 0) {
    ssize_t n = recv(fd, b.data(), b.size(), 0);
    if (n <= 0) die("subscriber closed early, bytes left " + std::to_string(bytes));
    bytes -= n;
  }
}

int main(int argc, char** argv) {
  auto a = [&](int i) {
    if (i >= argc) die("missing argument; see the head of blast.cpp");
    return std::string(argv[i]);
  };
  auto n = [&](int i) { return atol(a(i).c_str()); };
  std::string mode = a(1), host = a(2);
  int port = n(3);
  rlimit rl{1 << 20, 1 << 20};
  if (setrlimit(RLIMIT_NOFILE, &rl)) {
    getrlimit(RLIMIT_NOFILE, &rl);
    rl.rlim_cur = rl.rlim_max;
    setrlimit(RLIMIT_NOFILE, &rl);
  }

  if (mode == "pub" || mode == "fan" || mode == "queue") {
    bool pub = mode == "pub";
    int pubs = n(4), subs = pub ? 0 : n(5);
    long msgs = n(pub ? 5 : 6);
    int size = n(pub ? 6 : 7);
    long per = msgs / pubs;
    msgs = per * pubs;
    std::string subject = "bench";
    std::vector<Conn*> s, p;
    std::vector<std::thread> t;
    std::atomic<long> got{0};
    for (int i = 0; i < subs; i++) {
      s.push_back(new Conn(host, port));
      s[i]->send(mode == "queue" ? "SUB bench q 1\r\n" : "SUB bench 1\r\n");
      s[i]->flush();
    }
    for (int i = 0; i < pubs; i++) p.push_back(new Conn(host, port));
    long each = std::string("MSG bench 1 " + std::to_string(size) + "\r\n").size() + size + 2;
    double cpu = server_cpu(), t0 = now();
    if (mode == "queue") {
      for (auto* c : s)
        t.emplace_back([&, c] {
          std::vector<char> b(1 << 20);
          timeval tv{0, 200000};
          setsockopt(c->fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv);
          while (got.load() < msgs * each) {
            ssize_t k = recv(c->fd, b.data(), b.size(), 0);
            if (k > 0)
              got += k;
            else if (k == 0)
              die("closed");
          }
        });
    } else
      for (auto* c : s) t.emplace_back([=] { count_bytes(c->fd, msgs * each); });
    std::vector<std::thread> tp;
    for (auto* c : p)
      tp.emplace_back([=] {
        publish(*c, subject, size, per);
        c->flush();
      });
    for (auto& x : tp) x.join();
    for (auto& x : t) x.join();
    double secs = now() - t0;
    report(mode.c_str(), secs, msgs,
           pub               ? 0
           : mode == "queue" ? msgs
                             : msgs * subs,
           server_cpu() - cpu);
  } else if (mode == "wild") {
    int subjects = n(4);
    long msgs = n(5);
    int size = n(6);
    Conn s(host, port), p(host, port);
    std::string subs;
    long each = 0;
    for (int i = 0; i < subjects; i++)
      subs += "SUB dev." + std::to_string(100000000 + i) + ".*.> " + std::to_string(100000000 + i) +
              "\r\n";
    s.send(subs);
    s.flush();
    std::string block;
    int cnt = 0;
    std::vector<std::string> blocks;
    unsigned x = 12345;
    for (int b = 0; b < 64; b++) {
      block.clear();
      for (cnt = 0; cnt < 512; cnt++) {
        x = x * 1664525u + 1013904223u;
        block += "PUB dev." + std::to_string(100000000 + (x >> 8) % subjects) + ".t.v " +
                 std::to_string(size) + "\r\n" + std::string(size, 'x') + "\r\n";
      }
      blocks.push_back(block);
    }
    each = std::string("MSG dev.100000000.t.v 100000000 " + std::to_string(size) + "\r\n").size() +
           size + 2;
    long rounds = msgs / 512;
    msgs = rounds * 512;
    double cpu = server_cpu(), t0 = now();
    std::thread r([&] { count_bytes(s.fd, msgs * each); });
    for (long i = 0; i < rounds; i++) p.send(blocks[i % 64]);
    p.flush();
    r.join();
    report("wild", now() - t0, msgs, msgs, server_cpu() - cpu);
  } else if (mode == "rtt") {
    long count = n(4);
    int size = n(5);
    Conn r(host, port), q(host, port);
    r.send("SUB svc 1\r\n");
    r.flush();
    q.send("SUB inbox 1\r\n");
    q.flush();
    std::string req = "PUB svc inbox " + std::to_string(size) + "\r\n" + std::string(size, 'x') +
                      "\r\n",
                rep =
                    "PUB inbox " + std::to_string(size) + "\r\n" + std::string(size, 'y') + "\r\n";
    long lr = std::string("MSG svc 1 inbox " + std::to_string(size) + "\r\n").size() + size + 2,
         lp = std::string("MSG inbox 1 " + std::to_string(size) + "\r\n").size() + size + 2;
    std::thread th([&] {
      for (long i = 0; i < count; i++) {
        count_bytes(r.fd, lr);
        r.send(rep);
      }
    });
    std::vector<double> us;
    us.reserve(count);
    double cpu = server_cpu(), t0 = now();
    for (long i = 0; i < count; i++) {
      double b = now();
      q.send(req);
      count_bytes(q.fd, lp);
      us.push_back((now() - b) * 1e6);
    }
    th.join();
    double secs = now() - t0;
    std::sort(us.begin(), us.end());
    auto at = [&](double f) { return us[std::min<size_t>(us.size() - 1, us.size() * f)]; };
    char m[200];
    snprintf(m, sizeof m, ",\"p50_us\":%.1f,\"p99_us\":%.1f,\"p999_us\":%.1f,\"max_us\":%.1f",
             at(.5), at(.99), at(.999), us.back());
    report("rtt", secs, count, count, server_cpu() - cpu, m);
  } else if (mode == "idle") {
    int conns = n(4);
    double rss0 = server_kib("VmRSS:");
    std::vector<Conn*> c;
    double t0 = now();
    double cpu = server_cpu();
    for (int i = 0; i < conns; i++) {
      c.push_back(new Conn("127.0.0." + std::to_string(1 + i / 25000), port));
      c.back()->send("SUB idle." + std::to_string(i) + " 1\r\n");
      c.back()->in.shrink_to_fit();
    }
    for (auto* x : c) x->flush();
    double secs = now() - t0;
    sleep(2);
    char m[100];
    snprintf(m, sizeof m, ",\"kib_per_conn\":%.2f", (server_kib("VmRSS:") - rss0) / conns);
    report("idle", secs, conns, 0, server_cpu() - cpu, m);
  } else if (mode == "js") {
    std::string st = a(4);
    long window = n(5), msgs = n(6);
    int size = n(7);
    Conn c(host, port);
    c.send("SUB _I.> 1\r\n");
    std::string body =
        "{\"name\":\"" + st + "\",\"subjects\":[\"" + st +
        ".>\"],\"retention\":\"limits\",\"max_consumers\":-1,\"max_msgs\":-1,\"max_bytes\":-1,"
        "\"max_age\":0,\"max_msgs_per_subject\":-1,\"max_msg_size\":-1,\"discard\":\"old\","
        "\"storage\":\"file\",\"num_replicas\":1,\"duplicate_window\":120000000000}";
    c.send("PUB $JS.API.STREAM.CREATE." + st + " _I.create " + std::to_string(body.size()) +
           "\r\n" + body + "\r\n");
    c.until("_I.create");
    c.line();
    auto created = c.line();
    if (created.find("\"error\"") != created.npos) die(created);
    std::string one =
        "PUB " + st + ".a _I.a " + std::to_string(size) + "\r\n" + std::string(size, 'x') + "\r\n";
    long sent = 0, acked = 0;
    std::vector<double> us;
    double cpu = server_cpu(), t0 = now(), tb = 0;
    std::string out;
    while (acked < msgs) {
      out.clear();
      while (sent < msgs && sent - acked < window && out.size() < 65536) {
        out += one;
        sent++;
      }
      if (window == 1) tb = now();
      if (!out.empty()) c.send(out);
      if (sent - acked >= window || sent == msgs) {
        c.fill();
      }
      size_t pos = 0;
      for (;;) {
        auto i = c.in.find("\r\n", pos);
        if (i == c.in.npos) break;
        std::string_view h(c.in.data() + pos, i - pos);
        if (h.rfind("MSG _I.a", 0) == 0) {
          long len = atol(std::string(h.substr(h.rfind(' ') + 1)).c_str());
          if (c.in.size() < i + 2 + len + 2) break;
          if (std::string_view(c.in.data() + i + 2, len).find("\"error\"") !=
              std::string_view::npos)
            die(c.in.substr(i + 2, len));
          acked++;
          pos = i + 2 + len + 2;
        } else if (h == "PING") {
          c.send("PONG\r\n");
          pos = i + 2;
        } else
          pos = i + 2;
      }
      c.in.erase(0, pos);
      if (window == 1) us.push_back((now() - tb) * 1e6);
    }
    double secs = now() - t0;
    char m[200] = "";
    if (window == 1) {
      std::sort(us.begin(), us.end());
      snprintf(m, sizeof m, ",\"p50_us\":%.1f,\"p99_us\":%.1f", us[us.size() / 2],
               us[us.size() * 99 / 100]);
    }
    report("js", secs, msgs, 0, server_cpu() - cpu, m);
  } else
    die("unknown mode " + mode);
}
