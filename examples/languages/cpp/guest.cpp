// SPDX-License-Identifier: Apache-2.0
//
// Martlet in C++: `guest_cpp host`, or `guest URL NUMBER GUESTS FILE`. See ../README.md.
#include <openssl/evp.h>

#include <array>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "martlet/cpp/connection.hpp"
#include "martlet/cpp/queue.hpp"
#include "martlet/cpp/server.hpp"
#include "martlet/cpp/subscription.hpp"

namespace {

namespace cpp = martlet::cpp;
using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds LONGEST(120);
constexpr int32_t MESSAGES_MAX = 1024;
constexpr int32_t FLUSH_MS = 30'000;

class Sha256 {
 public:
  Sha256() { EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr); }
  void add(std::string_view bytes) { EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()); }
  std::string digest() {
    std::array<unsigned char, EVP_MAX_MD_SIZE> bytes;
    unsigned int size = 0;
    EVP_DigestFinal_ex(context_.get(), bytes.data(), &size);
    return std::string(reinterpret_cast<const char*>(bytes.data()), size);
  }

 private:
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context_{EVP_MD_CTX_new(),
                                                                   &EVP_MD_CTX_free};
};

std::string hexadecimal(std::string_view bytes) {
  constexpr std::string_view DIGITS = "0123456789abcdef";
  std::string text;
  for (const unsigned char byte : bytes) {
    text += DIGITS[byte >> 4];
    text += DIGITS[byte & 15];
  }
  return text;
}

/// Counts, and one digest for each publisher.
class Notes {
 public:
  Notes(size_t guests, size_t expected) : chains_(guests), expected_(expected) {}

  void add(std::string_view subject, std::string_view payload) {
    ++messages_;
    payload_bytes_ += payload.size();
    size_t publisher = 0;
    const std::string_view rest = subject.substr(subject.find('.') + 1);
    std::from_chars(rest.data(), rest.data() + rest.size(), publisher);
    Sha256& chain = chains_.at(publisher);
    chain.add(subject);
    chain.add(" ");
    chain.add(payload);
    chain.add("\n");
  }
  bool is_complete() const { return messages_ >= expected_; }
  void tell() {
    Sha256 whole;
    for (Sha256& chain : chains_) whole.add(chain.digest());
    std::cout << R"({"event": "result", "messages": )" << messages_ << R"(, "bytes": )"
              << payload_bytes_ << R"(, "digest": ")" << hexadecimal(whole.digest()) << "\"}"
              << std::endl;
  }

 private:
  std::vector<Sha256> chains_;
  size_t expected_;
  size_t messages_ = 0;
  size_t payload_bytes_ = 0;
};

std::vector<std::string> lines_of(const std::string& path) {
  std::vector<std::string> lines;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) lines.push_back(std::move(line));
  return lines;
}

void publish(cpp::Connection& connection, const std::vector<std::string>& flights, size_t number,
             size_t guests) {
  const std::string head = "flights." + std::to_string(number) + ".";
  for (size_t index = number; index < flights.size(); index += guests) {
    const std::string_view flight = flights[index];
    const size_t tab = flight.find('\t');
    const std::string subject = head + std::string(flight.substr(0, tab));
    const cpp::Outgoing message{.subject = subject, .data = flight.substr(tab + 1)};
    while (connection.publish(message) == MARTLET_AGAIN) {
      connection.wait_capacity(static_cast<int64_t>(flight.size()), FLUSH_MS);
    }
  }
  connection.flush(FLUSH_MS);
}

void read(cpp::Queue& queue, Notes& notes) {
  const Clock::time_point until = Clock::now() + LONGEST;
  while (!notes.is_complete() && Clock::now() < until) {
    cpp::Batch batch;
    const martlet_status status = queue.poll(MESSAGES_MAX, 1000, batch);
    if (status == MARTLET_DONE) return;
    if (status == MARTLET_AGAIN) continue;
    for (int32_t index = 0; index < batch.count(); ++index) {
      const martlet_descriptor& message = batch.at(index);
      if (message.kind != MARTLET_KIND_MESSAGE) continue;
      notes.add(batch.subject(message), batch.data(message));
    }
  }
}

void host() {
  cpp::Server server;
  server.start();
  std::cout << R"({"event": "ready", "url": ")" << server.url() << "\"}" << std::endl;
  for (std::string line; std::getline(std::cin, line);) continue;
  server.stop();
}

void guest(const std::string& url, size_t number, size_t guests, const std::string& path) {
  const std::vector<std::string> flights = lines_of(path);
  Notes notes(guests, flights.size());
  cpp::Connection connection(R"({"name": "cpp", "urls": [")" + url + "\"]}", nullptr, 0);
  connection.connect(-1);
  cpp::Queue queue;
  cpp::Subscription subscription(connection.get(), "flights.>", "", "", queue.get(), 0);
  connection.flush(FLUSH_MS);
  std::cout << R"({"event": "ready"})" << std::endl;
  std::string line;
  std::getline(std::cin, line);
  std::thread publisher([&] { publish(connection, flights, number, guests); });
  read(queue, notes);
  publisher.join();
  notes.tell();
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  try {
    if (words.size() == 1 && words[0] == "host") {
      host();
    } else if (words.size() == 5 && words[0] == "guest") {
      guest(words[1], std::stoul(words[2]), std::stoul(words[3]), words[4]);
    } else {
      std::fputs("guest_cpp host | guest URL NUMBER GUESTS FILE\n", stderr);
      return 2;
    }
  } catch (const std::exception& error) {
    std::fprintf(stderr, "guest_cpp: %s\n", error.what());
    return 1;
  }
  return 0;
}
