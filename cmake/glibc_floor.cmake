# SPDX-License-Identifier: Apache-2.0
#
# A toolchain file: the system's compiler, linked against the C library of another, older system.
# Owns the floor of what is packaged: a function that this old C library lacks is not found, neither
# by a check of CMake's nor by the linker, and one that has two versions is taken in the older. The
# folder MARTLET_GLIBC_FLOOR holds the libraries to link against (tools/package/glibc_floor.sh);
# nothing of them enters the result but the few functions that always are linked statically.

set(MARTLET_GLIBC_FLOOR "" CACHE PATH "The libraries of the oldest C library that must do")
if(NOT EXISTS "${MARTLET_GLIBC_FLOOR}/libc.so")
  message(FATAL_ERROR "MARTLET_GLIBC_FLOOR='${MARTLET_GLIBC_FLOOR}' holds no libc.so")
endif()
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES MARTLET_GLIBC_FLOOR)

# A library of this system that is linked to may itself want a younger C library.
foreach(kind EXE SHARED MODULE)
  set(CMAKE_${kind}_LINKER_FLAGS_INIT "-L${MARTLET_GLIBC_FLOOR} -Wl,--allow-shlib-undefined")
endforeach()
