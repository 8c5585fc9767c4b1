// SPDX-License-Identifier: Apache-2.0
//
// Owns the gathering of what each folder links.
#include "server/linked_libraries.hpp"

#include "auth/linked_libraries.hpp"
#include "base/json.hpp"
#include "base/linked_libraries.hpp"
#include "io/linked_libevent.hpp"

namespace martlet::server {

std::string linked_libraries_json() {
  json::object object;
  const auto add = [&object](const LinkedLibrary& library) {
    object[library.name] = library.version;
  };
  add(io::linked_libevent());
  for (const LinkedLibrary& library : auth::linked_libraries()) add(library);
  for (const LinkedLibrary& library : linked_libraries()) add(library);
  return json::serialize(object);
}

}  // namespace martlet::server
