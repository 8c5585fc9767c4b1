// SPDX-License-Identifier: Apache-2.0
//
// Owns the making of unique names.
#include "client/nuid.hpp"

#include "io/entropy.hpp"

namespace martlet::client {
namespace {

constexpr char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
constexpr uint64_t base = 62;
constexpr uint64_t counter_end = 839299365868340224;  // 62 to the power of 10.

}  // namespace

void Nuid::renew() {
  unsigned char bytes[prefix_length];
  io::fill_random(bytes, sizeof bytes);
  for (size_t i = 0; i < prefix_length; ++i) prefix_[i] = digits[bytes[i] % base];
  counter_ = io::random_seed() % counter_end;
  step_ = 33 + io::random_seed() % 300;
}

std::string Nuid::next() {
  counter_ += step_;
  if (counter_ >= counter_end) renew();
  std::string name(prefix_, prefix_length);
  name.resize(length);
  uint64_t rest = counter_;
  for (size_t i = length; i > prefix_length; --i) {
    name[i - 1] = digits[rest % base];
    rest /= base;
  }
  return name;
}

}  // namespace martlet::client
