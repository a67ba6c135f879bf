/*===- OneDnnShim.h - what the cpu device asks of oneDNN ----------------------------===
 *
 * libhexin_onednn.so is the only library that links oneDNN and OpenMP. The cpu
 * device loads it from its own folder when a plan first has a library command; a
 * process without such plans, or an installation without the file, never sees it.
 *
 * It exports   const hexin_onednn_api *hexin_onednn_query(uint32_t version);
 * which returns NULL for a version it does not speak.
 *
 * Its ops: backends/cpu/abi/LibraryOps.h. Constant weights (host_data set) are packed
 * once, into oneDNN's own format, shared by all commands that want the same, and kept
 * on disk; others are read as they lie. Element types: f32, and bf16, f16, i8, u8
 * where oneDNN has them on this machine.
 *
 * Threads: `prepare` and `execute` use the OpenMP team of the calling thread, whose
 * size `set_threads` fixed; an op is prepared and executed under the same size.
 *===--------------------------------------------------------------------------------===*/
#ifndef HEXIN_BACKENDS_CPU_ONEDNN_ONEDNNSHIM_H
#define HEXIN_BACKENDS_CPU_ONEDNN_ONEDNNSHIM_H

#include "runtime/device/hexin_device.h"

#ifdef __cplusplus
extern "C" {
#endif

#define HEXIN_ONEDNN_SHIM_VERSION 2

typedef struct hexin_onednn_op_t hexin_onednn_op;

/* What a prepare gives. */
typedef struct hexin_onednn_prepared {
  hexin_onednn_op *op;
  uint32_t weights_reordered; /* constants that were brought into oneDNN's format */
  uint32_t weights_cached;    /* constants found in the cache on disk */
} hexin_onednn_prepared;

typedef struct hexin_onednn_api {
  uint32_t struct_size;
  const char *library_version; /* "oneDNN 3.2.0" */

  /* -- threads ---------------------------------------------------------------- */
  /* The size of the calling thread's OpenMP team from now on. */
  void (*set_threads)(unsigned threads);
  /* Calls body with that size set, then restores the thread's own. */
  void (*with_threads)(unsigned threads, void (*body)(void *context), void *context);
  /* One parallel region: body(context, index, count) once per thread. */
  void (*parallel)(unsigned threads,
                   void (*body)(void *context, unsigned index, unsigned count),
                   void *context);

  /* -- ops ---------------------------------------------------------------------- */
  /* Caps the instructions that oneDNN uses at an image arch ("x86-64-v3"). Only
   * before the first prepare of the process; later calls change nothing. */
  void (*set_max_isa)(const char *arch);
  /* Creates the primitive and packs constants, which are kept in `cache_folder`
   * ("": nowhere). Reads its arguments during the call only. `unsupported` for what
   * oneDNN does not have, or has as reference code only. */
  uint32_t (*prepare)(const hexin_command_desc *desc, const char *cache_folder,
                      hexin_onednn_prepared *out, hexin_error *error);
  void (*destroy)(hexin_onednn_op *op);
  /* bindings[i]: the memory of the i-th binding. May run on several threads. */
  uint32_t (*execute)(hexin_onednn_op *op, void *const *bindings, hexin_error *error);
} hexin_onednn_api;

typedef const hexin_onednn_api *(*hexin_onednn_query_fn)(uint32_t version);

#ifdef __cplusplus
}
#endif

#endif /* HEXIN_BACKENDS_CPU_ONEDNN_ONEDNNSHIM_H */
