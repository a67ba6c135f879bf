# What every target of the tree shares. Includes start at the repository root;
# public headers are also found as "hexin/...".

add_library(hexin_flags INTERFACE)
target_include_directories(hexin_flags INTERFACE
  ${PROJECT_SOURCE_DIR} ${PROJECT_SOURCE_DIR}/runtime/include ${PROJECT_BINARY_DIR})
target_compile_options(hexin_flags INTERFACE
  -Wall -Wextra -Wno-unused-parameter -fvisibility-inlines-hidden)
if(CMAKE_CXX_COMPILER_ID STREQUAL GNU)
  # GCC 12 sees overlapping copies in std::string's own operator+ (its bug 105651).
  target_compile_options(hexin_flags INTERFACE -Wno-restrict)
endif()
if(HEXIN_SANITIZE)
  target_compile_options(hexin_flags INTERFACE
    -fsanitize=${HEXIN_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(hexin_flags INTERFACE -fsanitize=${HEXIN_SANITIZE})
  if(CMAKE_CXX_COMPILER_ID MATCHES Clang)
    # The sanitizer's run time as a shared library: ours are linked without
    # undefined symbols, and the backends are loaded at run time.
    string(REGEX REPLACE "^address.*" "asan" sanitizer "${HEXIN_SANITIZE}")
    string(REGEX REPLACE "^thread$" "tsan" sanitizer "${sanitizer}")
    execute_process(
      COMMAND ${CMAKE_CXX_COMPILER}
              -print-file-name=libclang_rt.${sanitizer}-${CMAKE_SYSTEM_PROCESSOR}.so
      OUTPUT_VARIABLE sanitizer_library OUTPUT_STRIP_TRAILING_WHITESPACE)
    cmake_path(GET sanitizer_library PARENT_PATH sanitizer_folder)
    target_link_options(hexin_flags INTERFACE -shared-libsan "-Wl,-rpath,${sanitizer_folder}")
  endif()
endif()
find_package(Threads REQUIRED)

# hexin_add_library(name SOURCES ... [DEPS ...] [PRIVATE_DEPS ...])
# A static library of one folder, without LLVM.
function(hexin_add_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS;PRIVATE_DEPS" ${ARGN})
  add_library(${name} STATIC ${ARG_SOURCES})
  target_link_libraries(${name} PUBLIC hexin_flags ${ARG_DEPS} PRIVATE ${ARG_PRIVATE_DEPS})
endfunction()
