// SPDX-License-Identifier: Apache-2.0
//
// Owns the rule that threads of ours take no signals of the host: a thread made while a shield
// lives has all of them blocked. The mask of the thread that made the shield is restored at its
// end.
#pragma once

namespace martlet::io {

class SignalShield {
 public:
  SignalShield();
  ~SignalShield();
  SignalShield(const SignalShield&) = delete;
  SignalShield& operator=(const SignalShield&) = delete;

 private:
  struct Mask;
  Mask* before_;
};

}  // namespace martlet::io
