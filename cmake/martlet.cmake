# SPDX-License-Identifier: Apache-2.0
#
# Owns the shape of a build target: one static library for each folder of core/, one test program
# for each folder of tests/unit/. The layers come from core/LAYERS, so that a folder sees only the
# include paths of what it may use.

set(MARTLET_LAYERS_FILE "${CMAKE_SOURCE_DIR}/core/LAYERS")
file(STRINGS "${MARTLET_LAYERS_FILE}" martlet_layer_lines REGEX "^[a-z]")
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${MARTLET_LAYERS_FILE}")
foreach(line IN LISTS martlet_layer_lines)
  string(REGEX MATCH "^([a-z_]+):(.*)$" ignored "${line}")
  set(name "${CMAKE_MATCH_1}")
  string(STRIP "${CMAKE_MATCH_2}" dependencies)
  string(REPLACE " " ";" dependencies "${dependencies}")
  set(MARTLET_LAYER_${name} "${dependencies}")
endforeach()

# martlet_module(NAME [LIBRARIES lib...]): core/NAME/**.cpp -> static library martlet_NAME.
function(martlet_module name)
  cmake_parse_arguments(ARG "" "" "LIBRARIES" ${ARGN})
  if(NOT DEFINED MARTLET_LAYER_${name})
    message(FATAL_ERROR "core/${name} has no line in core/LAYERS")
  endif()
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/core/${name}/*.cpp")
  # An entry belongs to a program, see martlet_program().
  list(FILTER sources EXCLUDE REGEX "/main\\.cpp$")
  if(NOT sources)
    return()
  endif()
  add_library(martlet_${name} STATIC ${sources})
  target_include_directories(martlet_${name} PUBLIC "${CMAKE_SOURCE_DIR}/core")
  target_link_libraries(martlet_${name} PRIVATE martlet_flags)
  foreach(dependency IN LISTS MARTLET_LAYER_${name})
    if(TARGET martlet_${dependency})
      target_link_libraries(martlet_${name} PUBLIC martlet_${dependency})
    endif()
  endforeach()
  target_link_libraries(martlet_${name} PUBLIC ${ARG_LIBRARIES})
  martlet_coverage(martlet_${name})
endfunction()

# martlet_coverage(TARGET): libFuzzer sees which way the code goes. The asan preset compiles so too,
# for the compiler cache then has its objects when the fuzz preset wants them.
function(martlet_coverage target)
  if(MARTLET_SANITIZE MATCHES "address" AND CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    target_compile_options(${target} PRIVATE -fsanitize=fuzzer-no-link)
  endif()
endfunction()

# martlet_program(): core/program/main.cpp -> the program `martlet`, its libraries linked
# statically.
function(martlet_program)
  if(NOT TARGET martlet_program)
    return()
  endif()
  add_executable(martlet "${CMAKE_SOURCE_DIR}/core/program/main.cpp")
  target_link_libraries(martlet PRIVATE martlet_flags martlet_program)
  set_target_properties(martlet PROPERTIES MARTLET_STATIC_LIBRARIES ON MARTLET_SHIPPED ON)
  if(NOT MARTLET_SANITIZE)
    target_link_options(martlet PRIVATE -static-libgcc -static-libstdc++)
  endif()
endfunction()

# martlet_test(FOLDER): tests/unit/FOLDER/*_test.cpp -> program unit_FOLDER, one ctest entry with
# label "unit".
function(martlet_test folder)
  cmake_parse_arguments(ARG "" "" "LIBRARIES" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/tests/unit/${folder}/*_test.cpp")
  if(NOT sources OR NOT TARGET martlet_${folder})
    return()
  endif()
  add_executable(unit_${folder} ${sources})
  target_include_directories(unit_${folder} PRIVATE "${CMAKE_SOURCE_DIR}")
  target_link_libraries(
    unit_${folder} PRIVATE martlet_flags martlet_${folder} ${ARG_LIBRARIES} GTest::gtest_main)
  martlet_test_flags(unit_${folder})
  add_test(NAME unit_${folder} COMMAND unit_${folder})
  set_tests_properties(unit_${folder} PROPERTIES LABELS unit TIMEOUT 120
                                                 ENVIRONMENT "${MARTLET_SANITIZER_ENVIRONMENT}")
endfunction()

# martlet_failing_allocations(TARGET): that test program gets tests/support/failing_allocations.
function(martlet_failing_allocations target)
  set(support "${CMAKE_SOURCE_DIR}/tests/support")
  target_sources(${target} PRIVATE "${support}/failing_allocations.cpp")
  if(NOT MARTLET_SANITIZE MATCHES "thread")
    target_sources(${target} PRIVATE "${support}/failing_operators.cpp")
    return()
  endif()
  target_sources(${target} PRIVATE "${support}/failing_operators_tsan.cpp")
  foreach(operator _Znwm _Znam)
    foreach(form "" St11align_val_t RKSt9nothrow_t St11align_val_tRKSt9nothrow_t)
      target_link_options(${target} PRIVATE "LINKER:--wrap=${operator}${form}")
    endforeach()
  endforeach()
endfunction()

# martlet_fuzz(NAME): tests/fuzz/NAME_fuzz.cpp -> program fuzz_NAME, with every module of core to
# its use.
function(martlet_fuzz name)
  add_executable(fuzz_${name} "${CMAKE_SOURCE_DIR}/tests/fuzz/${name}_fuzz.cpp")
  target_include_directories(fuzz_${name} PRIVATE "${CMAKE_SOURCE_DIR}" "${CMAKE_SOURCE_DIR}/core")
  target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
  martlet_coverage(fuzz_${name})
  target_link_libraries(fuzz_${name} PRIVATE martlet_flags)
  foreach(module server client broker net protocol subject auth link transport io base)
    if(TARGET martlet_${module})
      target_link_libraries(fuzz_${name} PRIVATE martlet_${module})
    endif()
  endforeach()
endfunction()

# martlet_fuzz_targets(): one for every file tests/fuzz/*_fuzz.cpp; fuzz_targets builds them all.
function(martlet_fuzz_targets)
  add_custom_target(fuzz_targets)
  file(GLOB sources CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/tests/fuzz/*_fuzz.cpp")
  foreach(source IN LISTS sources)
    get_filename_component(name "${source}" NAME_WE)
    string(REGEX REPLACE "_fuzz$" "" name "${name}")
    martlet_fuzz(${name})
    add_dependencies(fuzz_targets fuzz_${name})
  endforeach()
endfunction()

# martlet_benchmarks(): tests/performance/NAME_bench.cpp -> program bench_NAME (google-benchmark).
# Part of no test.
function(martlet_benchmarks)
  file(GLOB sources CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/tests/performance/*_bench.cpp")
  foreach(source IN LISTS sources)
    get_filename_component(name "${source}" NAME_WE)
    string(REGEX REPLACE "_bench$" "" name "${name}")
    add_executable(bench_${name} "${source}")
    target_include_directories(
      bench_${name} PRIVATE "${CMAKE_SOURCE_DIR}" "${CMAKE_SOURCE_DIR}/core")
    target_link_libraries(bench_${name} PRIVATE martlet_flags benchmark::benchmark_main)
    foreach(module broker protocol subject base)
      if(TARGET martlet_${module})
        target_link_libraries(bench_${name} PRIVATE martlet_${module})
      endif()
    endforeach()
  endforeach()
endfunction()
