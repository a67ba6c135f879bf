/*===- CompilerAbi.h - the C ABI between libhexin and libhexin_compiler -----------===
 *
 * libhexin_compiler exports one symbol,
 *
 *   const hexin_compiler_api *hexin_compiler_entry(uint32_t abi_version);
 *
 * which returns NULL for a version it does not speak. The functions behind
 * hexin/compile.h call through the table. Structs start with their size and only
 * grow. Nothing is thrown across; any function may be called from any thread, and
 * several at once.
 *===-----------------------------------------------------------------------------===*/
#ifndef HEXIN_RUNTIME_EXEC_COMPILERABI_H
#define HEXIN_RUNTIME_EXEC_COMPILERABI_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define HEXIN_COMPILER_ABI_VERSION 1

/* CompileOptions as a list; a key may come again for the next entry of a list.
 *   key               name          value
 *   target            -             "cpu"
 *   shape             input name    sizes with ',' between: a number, a name, or -1
 *                                   for what the model declares; "" scalar
 *   state             input name    output name
 *   allow-fallback    -             op type or node name
 *   disable           -             op, library or schedule
 *   prefer            -             library
 *   cpu-arch          -             "x86-64-v3"
 *   prepack           -             "lazy", "full"
 *   precision         -             "f32", "bf16", "int8-dynamic"
 *   max-error         -             decimal, "inf"
 *   emit              -             "import", "optimized", "placed", "kernels"
 *   explain, verify-each  -         "1"
 *   threads           -             decimal
 *   cache-dir         -             folder, or "none"
 * A compiler refuses a key that it does not know (unsupported). */
typedef struct hexin_compiler_option {
  const char *key;
  const char *name;  /* never NULL */
  const char *value; /* never NULL */
} hexin_compiler_option;

/* All pointers are read only during the call. */
typedef struct hexin_compiler_request {
  uint32_t struct_size;
  uint32_t option_count;
  const hexin_compiler_option *options;
  const char *input_path; /* the model, or the artifact to retarget; NULL: from memory */
  const void *input_data;
  uint64_t input_bytes;
  const char *output_path; /* "" when options ask for text only */
  /* NULL, or called with the phase's name and 0..1, from the calling thread. */
  void (*progress)(void *context, const char *phase, double fraction);
  void *progress_context;
} hexin_compiler_request;

/* Zeroed, with struct_size, by the caller; filled by the compiler, which owns the
 * strings until `release`. They may be NULL. */
typedef struct hexin_compiler_reply {
  uint32_t struct_size;
  uint32_t code; /* hexin::StatusCode */
  char *message; /* when code is not 0 */
  char *text;    /* what `emit` or `explain` asked for */
  uint64_t artifact_bytes;
  uint64_t kernels;
  uint64_t kernels_reused;
  double seconds;
} hexin_compiler_reply;

typedef struct hexin_compiler_api {
  uint32_t struct_size;
  uint32_t abi_version;
  void (*compile)(const hexin_compiler_request *request, hexin_compiler_reply *reply);
  void (*retarget)(const hexin_compiler_request *request, hexin_compiler_reply *reply);
  void (*release)(hexin_compiler_reply *reply); /* frees the strings */
} hexin_compiler_api;

typedef const hexin_compiler_api *(*hexin_compiler_entry_fn)(uint32_t abi_version);

#ifdef __cplusplus
}
#endif

#endif /* HEXIN_RUNTIME_EXEC_COMPILERABI_H */
