// SPDX-License-Identifier: Apache-2.0
//
// Owns the project's use of Boost.JSON: one include, one place where the library is compiled
// (json_library.cpp), and writing text with the escapes that NATS uses. Parsing never throws: use
// boost::json::parse with an error_code.
#pragma once

#define BOOST_JSON_NO_LIB 1
#define BOOST_ALL_NO_LIB 1
#include <boost/json.hpp>
#include <string>
#include <string_view>

namespace martlet {

namespace json = boost::json;

/// Appends `text` as a JSON string with quotes. As in Go's encoder, `<`, `>` and `&` are written as
/// \u003c, \u003e, \u0026, and bytes that are not UTF-8 as \ufffd.
void append_json_string(std::string& out, std::string_view text);

/// Go's way to write a finite double in JSON: the shortest text that reads back, with an exponent
/// only for the very small and the very large.
std::string json_number(double value);

}  // namespace martlet
