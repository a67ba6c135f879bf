# What the build finds on the machine: the virtual environment that
# cmake/setup.sh makes, ccache, and a build type when none was asked for.
# Included after project(), before any target.

if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Build type" FORCE)
endif()

# The environment's Python is the one that gets our module; its wheels (oneDNN)
# are found by find_package. Both can be set by hand instead.
set(HEXIN_VENV ${PROJECT_SOURCE_DIR}/.venv CACHE PATH "Python virtual environment")
if(EXISTS ${HEXIN_VENV}/bin/python)
  list(APPEND CMAKE_PREFIX_PATH ${HEXIN_VENV})
  if(NOT DEFINED Python_EXECUTABLE)
    set(Python_EXECUTABLE ${HEXIN_VENV}/bin/python CACHE FILEPATH "Python interpreter")
  endif()
endif()

# ccache takes our precompiled headers only with these checks relaxed, and with
# precompiled headers that hold no time stamps (clang). Several trees on one machine share
# what they compile: paths are hashed relative to the tree, and instead of the precompiled
# header what HexinMLIR.cmake says it is made of.
find_program(CCACHE_EXECUTABLE ccache)
find_program(ENV_EXECUTABLE env)
if(CCACHE_EXECUTABLE AND ENV_EXECUTABLE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(launcher ${ENV_EXECUTABLE}
    CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
    CCACHE_BASEDIR=${PROJECT_SOURCE_DIR} CCACHE_NOHASHDIR=1 CCACHE_PCH_EXTSUM=1
    ${CCACHE_EXECUTABLE})
  set(CMAKE_C_COMPILER_LAUNCHER ${launcher})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${launcher})
endif()
if(CMAKE_CXX_COMPILER_ID MATCHES Clang)
  add_compile_options("$<$<COMPILE_LANGUAGE:CXX>:SHELL:-Xclang -fno-pch-timestamp>")
endif()
