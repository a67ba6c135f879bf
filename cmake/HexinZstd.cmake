# hexin_zstd: the compression library behind runtime/base/Compression.h.
#
# The archive is taken where the system has one: libhexin then needs nothing but the C++
# runtime wherever it is copied to, and has of zstd only what it calls (0.2 MB). A
# distribution that wants the shared library says so:
#   -DHEXIN_ZSTD_LIBRARY=/usr/lib/x86_64-linux-gnu/libzstd.so

find_path(HEXIN_ZSTD_INCLUDE_DIR zstd.h DOC "The folder of zstd.h")
find_library(HEXIN_ZSTD_LIBRARY NAMES libzstd.a zstd DOC "zstd, an archive or shared")
if(NOT HEXIN_ZSTD_INCLUDE_DIR OR NOT HEXIN_ZSTD_LIBRARY)
  message(FATAL_ERROR "zstd was not found: install libzstd-dev (Debian), or set "
    "HEXIN_ZSTD_INCLUDE_DIR and HEXIN_ZSTD_LIBRARY")
endif()

add_library(hexin_zstd INTERFACE)
target_include_directories(hexin_zstd SYSTEM INTERFACE ${HEXIN_ZSTD_INCLUDE_DIR})
target_link_libraries(hexin_zstd INTERFACE ${HEXIN_ZSTD_LIBRARY})
# LLVM has a zstd of its own in the same process: nobody shall find ours.
target_link_options(hexin_zstd INTERFACE -Wl,--exclude-libs,libzstd.a)
