# MLIR/LLVM 22, and one function per kind of target that uses them.

# LLVM's packages accept only their exact minor in find_package, so the major is
# checked afterwards.
find_package(MLIR REQUIRED CONFIG HINTS /usr/lib/llvm-22/lib/cmake/mlir)
if(NOT LLVM_VERSION_MAJOR EQUAL 22)
  message(FATAL_ERROR "Hexin needs MLIR and LLVM 22, but ${MLIR_DIR} is of version "
    "${LLVM_PACKAGE_VERSION}. Set MLIR_DIR and LLVM_DIR to those of version 22.")
endif()
list(APPEND CMAKE_MODULE_PATH ${MLIR_CMAKE_DIR} ${LLVM_CMAKE_DIR})
include(TableGen)
include(AddLLVM)
include(AddMLIR)

# hexin_add_mlir_library(name SOURCES ... [DEPS ...] [PRIVATE_DEPS ...])
# A static library of one folder that includes MLIR. All of them share one
# precompiled header (cmake/MLIRPch.h).
function(hexin_add_mlir_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS;PRIVATE_DEPS" ${ARGN})
  add_library(${name} STATIC ${ARG_SOURCES})
  target_include_directories(${name} SYSTEM PUBLIC ${MLIR_INCLUDE_DIRS} ${LLVM_INCLUDE_DIRS})
  target_link_libraries(${name} PUBLIC hexin_flags ${ARG_DEPS} PRIVATE ${ARG_PRIVATE_DEPS})
  if(CMAKE_CXX_COMPILER_ID MATCHES Clang)
    # REUSE_FROM would add an absolute path that ccache takes as it is.
    target_compile_options(${name} PRIVATE "SHELL:-include-pch ${HEXIN_MLIR_PCH}")
    set_property(SOURCE ${ARG_SOURCES} APPEND PROPERTY OBJECT_DEPENDS ${HEXIN_MLIR_PCH})
    add_dependencies(${name} hexin_mlir_pch)
  elseif(TARGET hexin_mlir_pch)
    target_precompile_headers(${name} REUSE_FROM hexin_mlir_pch)
  endif()
endfunction()

# hexin_add_mlir_tool(name SOURCES ... [DEPS ...])
function(hexin_add_mlir_tool name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_include_directories(${name} SYSTEM PRIVATE ${MLIR_INCLUDE_DIRS} ${LLVM_INCLUDE_DIRS})
  target_link_libraries(${name} PRIVATE hexin_flags ${ARG_DEPS} MLIR LLVM)
endfunction()

add_library(hexin_mlir_pch STATIC ${PROJECT_SOURCE_DIR}/cmake/MLIRPch.cpp)
target_include_directories(hexin_mlir_pch SYSTEM PUBLIC ${MLIR_INCLUDE_DIRS} ${LLVM_INCLUDE_DIRS})
target_link_libraries(hexin_mlir_pch PUBLIC hexin_flags)
target_precompile_headers(hexin_mlir_pch PRIVATE <cmake/MLIRPch.h>)
set(HEXIN_MLIR_PCH ${CMAKE_CURRENT_BINARY_DIR}/CMakeFiles/hexin_mlir_pch.dir/cmake_pch.hxx.pch)
# What ccache reads instead of the precompiled header, which holds absolute paths.
file(SHA256 ${PROJECT_SOURCE_DIR}/cmake/MLIRPch.h pch_hash)
file(GENERATE OUTPUT ${HEXIN_MLIR_PCH}.sum
  CONTENT "MLIR ${LLVM_PACKAGE_VERSION}, ${pch_hash}\n")
