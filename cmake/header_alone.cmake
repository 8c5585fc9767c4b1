# SPDX-License-Identifier: Apache-2.0
#
# Owns the target `headers_alone`: each header of core/ compiled by itself, so that none leans on
# what another file happened to include first. tools/check_headers.py builds it and counts; it is no
# part of the default build.

file(GLOB_RECURSE martlet_headers CONFIGURE_DEPENDS RELATIVE "${CMAKE_SOURCE_DIR}/core"
     "${CMAKE_SOURCE_DIR}/core/*.hpp")
set(martlet_header_sources)
foreach(header IN LISTS martlet_headers)
  set(source "${CMAKE_BINARY_DIR}/headers_alone/${header}.cpp")
  # Twice: the second finds a missing include guard.
  set(line "#include \"${header}\"\n")
  file(CONFIGURE OUTPUT "${source}" CONTENT "${line}${line}" @ONLY)
  list(APPEND martlet_header_sources "${source}")
endforeach()
add_library(headers_alone OBJECT EXCLUDE_FROM_ALL ${martlet_header_sources})
target_include_directories(headers_alone PRIVATE "${CMAKE_SOURCE_DIR}/core")
target_link_libraries(headers_alone PRIVATE martlet_flags PkgConfig::LIBEVENT OpenSSL::SSL)
martlet_test_flags(headers_alone)
