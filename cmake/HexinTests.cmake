# One function per kind of test. Lit and pytest collect theirs by themselves
# (tests/README.md); what is here runs in ctest.

include(GoogleTest)
find_package(GTest REQUIRED)

# hexin_add_test(name SOURCES ... [DEPS ...] [LABELS ...] [ENVIRONMENT VAR=value ...])
# A GoogleTest program; every TEST in it becomes a ctest named name.Suite.Test.
# In a build without the compiler, a test of something that was left out is left
# out too, and said so.
function(hexin_add_test name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS;LABELS;ENVIRONMENT" ${ARGN})
  if(NOT HEXIN_BUILD_COMPILER)
    foreach(dep ${ARG_DEPS})
      if(NOT TARGET ${dep} AND dep MATCHES "^hexin")
        message(STATUS "Tests: ${name} needs ${dep}, which this build leaves out")
        return()
      endif()
    endforeach()
  endif()
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE hexin_flags ${ARG_DEPS} GTest::gmock GTest::gtest_main)
  set(properties "")
  foreach(property LABELS ENVIRONMENT)
    if(ARG_${property})
      list(APPEND properties ${property} "${ARG_${property}}")
    endif()
  endforeach()
  if(properties)
    list(PREPEND properties PROPERTIES)
  endif()
  gtest_discover_tests(${name} TEST_PREFIX ${name}. DISCOVERY_MODE PRE_TEST ${properties})
endfunction()

# hexin_add_script_test(name COMMAND ... [LABELS ...] [ENVIRONMENT VAR=value ...])
# A command that passes when it exits with 0.
function(hexin_add_script_test name)
  cmake_parse_arguments(ARG "" "" "COMMAND;LABELS;ENVIRONMENT" ${ARGN})
  add_test(NAME ${name} COMMAND ${ARG_COMMAND} WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
  set_tests_properties(${name} PROPERTIES LABELS "${ARG_LABELS}" ENVIRONMENT "${ARG_ENVIRONMENT}")
endfunction()
