// SPDX-License-Identifier: Apache-2.0
//
// Owns the clock that everything made at the border runs by. Without state; objects may outlive
// every handle.
#pragma once

#include "io/system_clock.hpp"

namespace martlet::capi {

inline const io::SystemClock system_clock;

}  // namespace martlet::capi
