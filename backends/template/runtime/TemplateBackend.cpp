//===- TemplateBackend.cpp - the run half of a new backend -------------------===//
//
// A table of C functions over one vendor's driver (runtime/device/hexin_device.h
// is the contract). This one has no devices; each function says what yours does.
//
// Rules for all of them: nothing is thrown and nothing printed; a failure returns
// a hexin::StatusCode and a message that says what was expected, what came, where
// and what to do; on failure no output is written. The driver's library is opened
// at run time (dlopen), so that the backend loads where the driver is absent.
//
//===----------------------------------------------------------------------===//
#include "backends/template/abi/TemplateImage.h"
#include "runtime/device/hexin_device.h"

#include "hexin/status.h"

#include <cstdio>

using namespace hexin;

// The ABI's opaque types are yours to define. Typical members stand beside them.
struct hexin_device_t {};  // the driver's context and queue, a mutex for the queue
struct hexin_buffer_t {};  // the driver's allocation, its size in bytes
struct hexin_module_t {};  // a loaded image
struct hexin_command_t {}; // a kernel with sizes and scalars set, and its bindings
struct hexin_event_t {};   // what to wait for, and where to write the times

namespace {

uint32_t refuse(StatusCode code, const char *message, hexin_error *error) {
  error->code = static_cast<uint32_t>(code);
  std::snprintf(error->message, sizeof error->message, "%s", message);
  return error->code;
}

uint32_t skeleton(hexin_error *error) {
  return refuse(StatusCode::unsupported,
                "the template backend is a skeleton; see backends/template/README.md",
                error);
}

/// Lists the devices in an order that is the same on every start: the N-th is
/// "template:N". Fill at most *count infos, only up to each one's struct_size;
/// then set *count to the number there is. No driver or no device is success with
/// *count = 0; error->message may then say why.
///   image_archs     what `load` takes, best first
///   base_alignment  of every buffer; planned offsets are multiples of it
///   flags           HOST_MEMORY only if host_pointer stays valid between runs
uint32_t enumerate(uint32_t *count, hexin_device_info *, hexin_error *error) {
  *count = 0;
  std::snprintf(error->message, sizeof error->message,
                "the template backend has no devices");
  return 0;
}

/// Makes the context and one in-order queue. Read options only as far as their
/// struct_size. Do not compile or allocate here: opening must be quick.
uint32_t open(uint32_t, const hexin_device_options *, hexin_device **,
              hexin_error *error) {
  return refuse(StatusCode::notFound, "the template backend has no devices", error);
}

/// Frees what open made. Buffers, modules and commands are gone by then.
void close(hexin_device *device) { delete device; }

/// `bytes` of device memory, contents undefined. Called when a plan is made,
/// never during a run. Too large: resourceExhausted, with the device's limit.
uint32_t allocate(hexin_device *, uint64_t, hexin_buffer **, hexin_error *error) {
  return skeleton(error);
}

void release(hexin_device *, hexin_buffer *buffer) { delete buffer; }

/// Host to device, device to host, or between two buffers, after everything that
/// was submitted before. Check the ranges: they are the last line of defence.
uint32_t copy(hexin_device *, const hexin_copy *, hexin_error *error) {
  return skeleton(error);
}

/// Makes an image loadable: check `arch`, then hand the bytes to the driver. A
/// driver that compiles keeps its result in options->cache_dir. The image comes
/// from a file: whatever is wrong with it is corruptData, never a crash.
uint32_t load(hexin_device *, const hexin_image *image, hexin_module **,
              hexin_error *error) {
  static_cast<void>(templ::imageArch); // compare with image->arch
  return skeleton(error);
}

void unload(hexin_device *, hexin_module *module) { delete module; }

/// Everything slow about a launch: find the kernel by name, set sizes and
/// scalars, choose the grid for `items`, and let the driver compile what it
/// compiles lazily. The descriptor is read only during the call. A kind or name
/// that is not yours: unsupported.
uint32_t prepare(hexin_device *, const hexin_command_desc *, hexin_command **,
                 hexin_error *error) {
  return skeleton(error);
}

void discard(hexin_device *, hexin_command *command) { delete command; }

/// Binds slots and enqueues the commands in order; returns without waiting. The
/// same command may be submitted by several threads, each with its own slots.
/// Check that every binding's range lies in its buffer. No allocation by the
/// device, no compilation.
uint32_t submit(hexin_device *, const hexin_submission *, hexin_event **,
                hexin_error *error) {
  return skeleton(error);
}

/// Waits, frees the event also on failure, and reports what went wrong in the
/// submission (deviceLost, outOfRange, ...), naming the kernel, and its command in
/// error->command where you know it (submit alike): the runtime adds the node. Fills
/// command_ns when the device was opened with `profile`.
uint32_t wait(hexin_device *, hexin_event *event, hexin_error *error) {
  delete event;
  return skeleton(error);
}

const hexin_device_api api = {
    .struct_size = sizeof(hexin_device_api),
    .abi_major = HEXIN_DEVICE_ABI_MAJOR,
    .abi_minor = HEXIN_DEVICE_ABI_MINOR,
    .backend = "template",
    .enumerate = enumerate,
    .open = open,
    .close = close,
    .allocate = allocate,
    .release = release,
    .copy = copy,
    .load = load,
    .unload = unload,
    .prepare = prepare,
    .discard = discard,
    .submit = submit,
    .wait = wait,
    // Optional: leave null what the device cannot do.
    .host_pointer = nullptr, // the address of a buffer, on HOST_MEMORY devices
    .wrap_host = nullptr,    // caller memory as a buffer without a copy
    .counter = nullptr,      // "kernels_compiled", ...
    // All three, where the driver's addresses and streams can be shared with others.
    .wrap_device = nullptr,    // memory that the caller has on this device, as a buffer
    .device_address = nullptr, // where a buffer lies
    .wait_stream = nullptr,    // later work comes behind what a stream holds now
};

} // namespace

/// The only exported symbol. Null for a major version this file does not speak.
extern "C" HEXIN_EXPORT const hexin_device_api *hexin_backend_query(uint32_t abiMajor) {
  return abiMajor == HEXIN_DEVICE_ABI_MAJOR ? &api : nullptr;
}
