// SPDX-License-Identifier: Apache-2.0
//
// Owns the reading of the versions out of the headers: what is compiled in has no other version.
#include "base/linked_libraries.hpp"

#include <fmt/core.h>

#include <boost/version.hpp>
#include <string>

namespace martlet {
namespace {

// Both write 9.1.2 as one number, each with a scale of its own.
std::string dotted(int version, int scale_major, int scale_minor) {
  return std::to_string(version / scale_major) + "." +
         std::to_string(version % scale_major / scale_minor) + "." +
         std::to_string(version % scale_minor);
}

#ifdef _LIBCPP_VERSION
constexpr const char* runtime_name = "libc++";
constexpr int runtime_version = _LIBCPP_VERSION;
#else
constexpr const char* runtime_name = "libstdc++";
constexpr int runtime_version = _GLIBCXX_RELEASE;
#endif

}  // namespace

std::array<LinkedLibrary, 3> linked_libraries() {
  static const std::string fmt = dotted(FMT_VERSION, 10'000, 100);
  static const std::string boost = dotted(BOOST_VERSION, 100'000, 100);
  static const std::string runtime = std::to_string(runtime_version);
  return {{{"fmt", fmt.c_str()}, {"Boost.JSON", boost.c_str()}, {runtime_name, runtime.c_str()}}};
}

}  // namespace martlet
