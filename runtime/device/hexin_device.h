/*===- hexin_device.h - the C ABI between the runtime and a device backend -----===
 *
 * A backend is a shared library libhexin_backend_<name>.so that exports
 *
 *   const hexin_device_api *hexin_backend_query(uint32_t abi_major);
 *
 * which returns NULL for a major version it does not speak. The table has twelve
 * mandatory functions and, behind them, optional ones that may be NULL. Every
 * struct starts with its size in bytes, set by whoever fills it, and only grows:
 * a reader ignores what lies beyond the size it knows and treats what is missing
 * as zero.
 *
 * Threads: a device may be used from several threads at once; an object made by
 * it is used by one thread at a time, except that `submit` and `wait` may be
 * called for different events concurrently, and that a command may be in several
 * submissions at once, each with slots of its own.
 *
 * Errors: functions return 0 or a code of hexin::StatusCode and fill `error`
 * (never NULL). Nothing is thrown or printed. On failure no output is written.
 *===-------------------------------------------------------------------------===*/
#ifndef HEXIN_DEVICE_H
#define HEXIN_DEVICE_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define HEXIN_DEVICE_ABI_MAJOR 1
#define HEXIN_DEVICE_ABI_MINOR 3

#define HEXIN_NO_SLOT 0xFFFFFFFFu

typedef struct hexin_device_t hexin_device;
typedef struct hexin_buffer_t hexin_buffer;
typedef struct hexin_module_t hexin_module;
typedef struct hexin_command_t hexin_command;
typedef struct hexin_event_t hexin_event;

typedef struct hexin_error {
  uint32_t struct_size;
  uint32_t code;
  char message[1024]; /* zero-terminated UTF-8 */
  /* Since minor 1, of `submit` and `wait`: which of the submission's commands failed,
   * counted from 1; 0 = one of them, or none. Zeroed by the caller. */
  uint32_t command;
} hexin_error;

enum {
  HEXIN_DEVICE_HOST_MEMORY = 1,  /* buffers are host memory: `host_pointer` is free */
  HEXIN_DEVICE_LOCAL_MEMORY = 2, /* has on-chip local memory worth using */
  HEXIN_DEVICE_FP64 = 4,
  HEXIN_DEVICE_FP16 = 8,
  HEXIN_DEVICE_WORKSPACE = 16 /* takes kernels with hexin_command_desc.workspace_bytes */
};

typedef struct hexin_device_info {
  uint32_t struct_size;
  uint32_t index;
  char name[128];
  char driver[128];      /* platform and driver version; part of cache keys */
  char image_archs[256]; /* image archs it can load, best first, ';' between */
  uint64_t memory_bytes;
  uint64_t max_buffer_bytes;
  uint32_t base_alignment; /* bytes; of buffers and of binding offsets */
  uint32_t compute_units;
  uint32_t flags;
  /* Of HEXIN_DEVICE_LOCAL_MEMORY devices: the largest team, and its local memory. */
  uint32_t max_team_threads;
  uint64_t local_memory_bytes;
} hexin_device_info;

typedef struct hexin_device_options {
  uint32_t struct_size;
  uint32_t threads;      /* cpu: worker threads; 0 = the mask's cores */
  uint32_t pin_threads;  /* cpu: 1 = pin workers inside the inherited mask */
  uint32_t profile;      /* 1 = events carry times */
  const char *cache_dir; /* NULL or "" = no cache on disk */
  const char *max_isa;   /* cpu: NULL or the highest image arch to use */
} hexin_device_options;

/* An image out of an artifact. `arch` and `data` are only read during the call: of a
 * compressed section `data` is a copy that goes behind it. A device that wants to map
 * code from the file does so by `fd`, which stays open until `unload`. */
typedef struct hexin_image {
  uint32_t struct_size;
  const char *arch;
  const void *data;
  uint64_t size;
  int32_t fd; /* of the file that holds it, or -1 */
  uint64_t file_offset;
  uint64_t content_hash;
} hexin_image;

/* Where a command finds its memory: slot `slot` of the submission's table plus
 * `offset` bytes; the device may touch `length` bytes there. `dtype` is its element
 * type, `rank` and `dims` are set for library commands only. */
typedef struct hexin_binding {
  uint32_t slot; /* HEXIN_NO_SLOT: an absent optional operand of a library */
  uint32_t is_written;
  uint64_t offset;
  uint64_t length;
  uint32_t dtype;
  uint32_t rank;
  const int64_t *dims;
  const void *host_data; /* constant contents already on the host, or NULL */
  uint64_t content_hash; /* of host_data; key for a library's packed copy */
} hexin_binding;

typedef struct hexin_attribute {
  const char *name;
  uint32_t kind; /* 0 int, 1 double, 2 string, 3 ints, 4 doubles */
  uint32_t count;
  int64_t i;
  double f;
  const char *s;
  const int64_t *ints;
  const double *floats;
} hexin_attribute;

enum { HEXIN_COMMAND_KERNEL = 0, HEXIN_COMMAND_LIBRARY = 1 };

/* One launch; plans and sessions share it. The strings and arrays are only read during
 * the call. Kernel contract: runtime/device/KernelAbi.h. */
typedef struct hexin_command_desc {
  uint32_t struct_size;
  uint32_t kind;
  hexin_module *module; /* kernel commands */
  const char *name;     /* kernel symbol, or library op such as "onednn.conv" */
  const hexin_binding *bindings;
  uint32_t binding_count;
  uint32_t param_count;
  const int64_t *params;
  int64_t items; /* work items; 0 launches nothing */
  int64_t grain; /* fewest items worth a thread of their own */
  const hexin_attribute *attributes;
  uint32_t attribute_count;
  uint32_t team_threads; /* > 0: a team of that many threads runs each item ... */
  uint32_t local_bytes;  /* ... and shares that much memory; see KernelAbi.h */
  /* Per binding: bytes that its address must be a multiple of, a power of two; NULL:
   * those of an element. Offsets are such multiples; what slots stand for, with a
   * device's own buffers and planned places, is. A submission whose slots are not (the
   * caller's memory) is refused. */
  const uint8_t *alignments;
  /* Of HEXIN_DEVICE_WORKSPACE devices: bytes, 64-byte aligned, that each thread which
   * runs items of the kernel has to itself, bound behind the bindings. `prepare` sees to
   * it that they are there; all commands share them. 0: none is bound. */
  uint64_t workspace_bytes;
} hexin_command_desc;

typedef struct hexin_slot {
  hexin_buffer *buffer;
  uint64_t offset;
} hexin_slot;

typedef struct hexin_submission {
  uint32_t struct_size;
  uint32_t command_count;
  hexin_command *const *commands; /* run in this order */
  const hexin_slot *slots;
  uint32_t slot_count;
  uint64_t *command_ns; /* NULL, or room for begin/end times of each command
                           (2 * command_count, steady clock), when profiling */
} hexin_submission;

typedef struct hexin_copy {
  uint32_t struct_size;
  hexin_buffer *dst; /* NULL: dst_pointer is host memory */
  void *dst_pointer;
  uint64_t dst_offset;
  hexin_buffer *src; /* NULL: src_pointer is host memory */
  const void *src_pointer;
  uint64_t src_offset;
  uint64_t length;
} hexin_copy;

typedef struct hexin_device_api {
  uint32_t struct_size;
  uint16_t abi_major;
  uint16_t abi_minor;
  const char *backend; /* "cpu", "opencl", "cuda" */

  /* -- mandatory -------------------------------------------------------------- */
  /* Writes up to *count infos (each with struct_size set by the caller) and sets
   * *count to the number of devices. No driver: 0 devices and success. */
  uint32_t (*enumerate)(uint32_t *count, hexin_device_info *infos, hexin_error *error);
  uint32_t (*open)(uint32_t index, const hexin_device_options *options,
                   hexin_device **out, hexin_error *error);
  void (*close)(hexin_device *device);

  /* Device memory, `base_alignment` aligned, contents undefined; bytes > 0. */
  uint32_t (*allocate)(hexin_device *device, uint64_t bytes, hexin_buffer **out,
                       hexin_error *error);
  void (*release)(hexin_device *device, hexin_buffer *buffer);

  /* Ordered after all earlier submissions of the device; returns when host
   * memory may be reused or read. */
  uint32_t (*copy)(hexin_device *device, const hexin_copy *copy, hexin_error *error);

  /* May leave what is slow about it to the first `prepare` that asks for a kernel. */
  uint32_t (*load)(hexin_device *device, const hexin_image *image, hexin_module **out,
                   hexin_error *error);
  void (*unload)(hexin_device *device, hexin_module *module);

  /* Everything slow about a launch happens here: looking up the kernel, creating
   * library primitives, packing constants. */
  uint32_t (*prepare)(hexin_device *device, const hexin_command_desc *desc,
                      hexin_command **out, hexin_error *error);
  void (*discard)(hexin_device *device, hexin_command *command);

  /* Runs commands in order. The arrays may be freed when it returns. */
  uint32_t (*submit)(hexin_device *device, const hexin_submission *submission,
                     hexin_event **out, hexin_error *error);
  /* Waits for the submission, frees the event, reports what went wrong in it. */
  uint32_t (*wait)(hexin_device *device, hexin_event *event, hexin_error *error);

  /* -- optional (may be NULL) --------------------------------------------------- */
  /* Host address of a buffer of a HEXIN_DEVICE_HOST_MEMORY device. */
  void *(*host_pointer)(hexin_device *device, hexin_buffer *buffer);
  /* Uses caller memory as a buffer without a copy; the caller keeps it alive
   * until `release`. Fails politely when alignment does not allow it. */
  uint32_t (*wrap_host)(hexin_device *device, void *pointer, uint64_t bytes,
                        hexin_buffer **out, hexin_error *error);
  /* A counter of the device since it was opened, by name; 0 for a name it does not
   * have. "kernels_compiled": programs built from source, not found in a cache.
   * "weights_reordered": constant weights that a library brought into a form of its
   * own, not found in a cache. */
  uint64_t (*counter)(hexin_device *device, const char *name);

  /* -- since minor 1: memory and streams that the device's driver shares with others.
   * A device has all three or none. Addresses and streams are the driver's own (CUDA: a
   * CUdeviceptr, a CUstream; both of the device's primary context). */
  /* Uses memory of this device as a buffer without a copy; the caller keeps it alive
   * until `release`. INVALID_ARGUMENT for an address that is none of this device's, or
   * whose memory ends before `bytes`, as far as the driver can tell. Any alignment. */
  uint32_t (*wrap_device)(hexin_device *device, uint64_t address, uint64_t bytes,
                          hexin_buffer **out, hexin_error *error);
  /* Where a buffer lies, as the driver calls it. */
  uint64_t (*device_address)(hexin_device *device, hexin_buffer *buffer);
  /* Orders all work given to the device from now on behind what `stream` holds now;
   * returns at once. */
  uint32_t (*wait_stream)(hexin_device *device, uint64_t stream, hexin_error *error);

  /* -- since minor 2 --------------------------------------------------------------- */
  /* Of devices that compute with the process's own threads: calls body(context, begin,
   * end) for parts that make up [0, items) on them and returns when all are done. Between
   * submissions; `body` calls nothing of the device. */
  void (*for_range)(hexin_device *device, int64_t items,
                    void (*body)(void *context, int64_t begin, int64_t end),
                    void *context);

  /* -- since minor 3 --------------------------------------------------------------- */
  /* Copies from a buffer of `src_device`, another device of this backend, behind what
   * both were given; returns when it is done. UNSUPPORTED: go by way of the host. */
  uint32_t (*copy_peer)(hexin_device *device, hexin_buffer *dst, uint64_t dst_offset,
                        hexin_device *src_device, hexin_buffer *src, uint64_t src_offset,
                        uint64_t length, hexin_error *error);
} hexin_device_api;

typedef const hexin_device_api *(*hexin_backend_query_fn)(uint32_t abi_major);

#ifdef __cplusplus
}
#endif

#endif /* HEXIN_DEVICE_H */
