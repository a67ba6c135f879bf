/*===- hexin_hostops.h - the C interface of libhexin_hostops ----------------===//
//
// Regular expressions and picture codecs, which need libraries of others: a shared
// library that is loaded when a program has an op that needs it. It exports
// `hexin_hostops_table`, which gives the table below.
//
//===----------------------------------------------------------------------===*/
#ifndef HEXIN_HOSTOPS_H
#define HEXIN_HOSTOPS_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define HEXIN_HOSTOPS_VERSION 1

/* Pixels [height, width, channels], one byte each. `pixels` is given back by
   release_picture; null when height or width is 0. */
typedef struct hexin_picture {
  uint8_t *pixels;
  uint32_t height, width, channels;
} hexin_picture;

typedef enum hexin_pixel_format {
  HEXIN_PIXELS_RGB,
  HEXIN_PIXELS_BGR,
  HEXIN_PIXELS_GRAY
} hexin_pixel_format;

/* Functions give 0, or 1 with a message of at most `error_size` bytes in `error`. Any
   number of threads may call them. */
typedef struct hexin_hostops {
  uint32_t struct_size;
  uint32_t version;

  /* What `pattern`, in RE2's syntax, compiles to; linear time and bounded memory. */
  int (*compile_regex)(const char *pattern, size_t length, void **regex, char *error,
                       size_t error_size);
  /* 1 when all of `text` matches. */
  int (*match_regex)(const void *regex, const char *text, size_t length);
  void (*release_regex)(void *regex);

  /* `max_pixels` bounds height x width before memory is taken. A file of no format that
     is known, or a damaged one, is an empty picture (0 x 0), no error. */
  int (*decode_picture)(const uint8_t *bytes, size_t length, hexin_pixel_format format,
                        uint64_t max_pixels, hexin_picture *picture, char *error,
                        size_t error_size);
  void (*release_picture)(hexin_picture *picture);
} hexin_hostops;

typedef const hexin_hostops *(*hexin_hostops_fn)(void);

#ifdef __cplusplus
}
#endif

#endif /* HEXIN_HOSTOPS_H */
