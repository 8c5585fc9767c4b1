// SPDX-License-Identifier: Apache-2.0
//
// Compiles Boost.JSON, once, into this library (its header-only form), so that no shared object of
// it is needed.
#include "base/json.hpp"

#include <boost/json/src.hpp>
