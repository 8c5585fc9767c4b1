// SPDX-License-Identifier: Apache-2.0
//
// Owns the question to libevent.
#include "io/linked_libevent.hpp"

#include <event2/event.h>

namespace martlet::io {

LinkedLibrary linked_libevent() { return {"libevent", event_get_version()}; }

}  // namespace martlet::io
