// SPDX-License-Identifier: Apache-2.0
//
// Owns names that are unique and cannot be guessed: 22 characters of base 62, as NATS clients make
// them. A random prefix and a counter with a random start and step. One thread at a time.
#pragma once

#include <cstdint>
#include <string>

namespace martlet::client {

class Nuid {
 public:
  static constexpr size_t length = 22;

  Nuid() { renew(); }
  std::string next();

 private:
  static constexpr size_t prefix_length = 12;
  void renew();

  char prefix_[prefix_length];
  uint64_t counter_ = 0;
  uint64_t step_ = 1;
};

}  // namespace martlet::client
