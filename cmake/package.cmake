# SPDX-License-Identifier: Apache-2.0
#
# Owns what differs in what is packaged: all libraries but the C library's and the unwinder inside
# and hidden, no symbols for debuggers. The unwinder stays libgcc_s, which every system has that has
# pthread_exit(): it must be the same that unwinds a thread of the host through our frames.

option(MARTLET_PACKAGE "Build what goes into packages: everything inside (see tools/package)" OFF)
set(MARTLET_ARCHIVES "" CACHE PATH "Where the static libraries stand that the system's cannot be")

if(MARTLET_PACKAGE)
  add_link_options(-static-libstdc++ -Wl,--strip-all)
endif()

# martlet_packaged(TARGET): its objects bring what the compiler's runtime asks of a younger C
# library.
function(martlet_packaged target)
  target_sources(${target} PRIVATE "${PROJECT_SOURCE_DIR}/cmake/glibc_floor.c")
endfunction()
