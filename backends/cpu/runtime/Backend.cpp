//===- Backend.cpp - hexin_backend_query ------------------------------------===//
//
// The C functions: reads of versioned structs, and a border that no exception crosses.
//
//===----------------------------------------------------------------------------------------===//
#include "backends/cpu/runtime/Affinity.h"
#include "backends/cpu/runtime/CpuDevice.h"
#include "backends/cpu/runtime/IsaDetect.h"

#include <algorithm>
#include <cstring>
#include <new>
#include <system_error>
#include <xmmintrin.h>

using namespace hexin;
using namespace hexin::cpu;

namespace {

uint32_t report(const Status &status, hexin_error *error) {
  if (status.ok())
    return 0;
  error->code = static_cast<uint32_t>(status.code());
  size_t length = std::min(status.message().size(), sizeof(error->message) - 1);
  std::memcpy(error->message, status.message().data(), length);
  error->message[length] = 0;
  return error->code;
}

/// Runs `body`, which returns a Status, and turns what it throws into one.
template <typename Body> uint32_t guarded(hexin_error *error, Body &&body) {
  try {
    return report(body(), error);
  } catch (const std::bad_alloc &) {
    return report(resourceExhausted("out of memory"), error);
  } catch (const std::system_error &e) {
    return report(resourceExhausted(std::string("the system refused: ") + e.what()),
                  error);
  } catch (const std::exception &e) {
    return report(internalError(e.what()), error);
  }
}

/// Hands the object in `result` over through `out`.
template <typename T> Status handOver(Result<std::unique_ptr<T>> result, T **out) {
  if (!result.ok())
    return result.status();
  *out = result->release();
  return {};
}

/// A struct of our version: what the caller's shorter one lacks is zero.
template <typename T> T ofOurSize(const T *given) {
  T copy{};
  if (given)
    std::memcpy(&copy, given, std::min<size_t>(given->struct_size, sizeof(T)));
  return copy;
}

template <size_t size> void setText(char (&field)[size], const std::string &text) {
  size_t length = std::min(text.size(), size - 1);
  std::memcpy(field, text.data(), length);
  field[length] = 0;
}

hexin_device_info describe() {
  hexin_device_info info{};
  setText(info.name, processorName());
  setText(info.driver, "hexin cpu 1");
  std::string archs;
  for (const std::string &arch : supportedArchs())
    archs += (archs.empty() ? "" : ";") + arch;
  setText(info.image_archs, archs);
  info.memory_bytes = memoryBytes();
  info.max_buffer_bytes = info.memory_bytes;
  info.base_alignment = 64;
  info.compute_units = static_cast<uint32_t>(inheritedCores().size());
  info.flags = HEXIN_DEVICE_HOST_MEMORY | HEXIN_DEVICE_FP64 | HEXIN_DEVICE_FP16 |
               HEXIN_DEVICE_WORKSPACE;
  return info;
}

uint32_t enumerate(uint32_t *count, hexin_device_info *infos, hexin_error *error) {
  return guarded(error, [&]() -> Status {
    uint32_t devices = supportedArchs().empty() ? 0 : 1;
    if (*count > 0 && devices > 0 && infos) {
      hexin_device_info info = describe();
      info.struct_size = infos->struct_size;
      std::memcpy(infos, &info, std::min<size_t>(infos->struct_size, sizeof(info)));
    }
    *count = devices;
    return {};
  });
}

uint32_t openDeviceC(uint32_t index, const hexin_device_options *options,
                     hexin_device **out, hexin_error *error) {
  return guarded(error, [&]() -> Status {
    if (index != 0 || supportedArchs().empty())
      return notFound("there is no cpu device " + std::to_string(index) +
                      (supportedArchs().empty()
                           ? ": the processor is older than x86-64-v2"
                           : ": the only one is 0"));
    return handOver(openDevice(ofOurSize(options)), out);
  });
}

void closeDevice(hexin_device *device) { delete device; }

uint32_t allocate(hexin_device *, uint64_t bytes, hexin_buffer **out,
                  hexin_error *error) {
  return guarded(error, [&] { return handOver(allocateBuffer(bytes), out); });
}

void release(hexin_device *, hexin_buffer *buffer) { releaseBuffer(buffer); }

uint32_t copy(hexin_device *, const hexin_copy *request, hexin_error *error) {
  return guarded(error, [&] { return copyMemory(ofOurSize(request)); });
}

uint32_t load(hexin_device *device, const hexin_image *image, hexin_module **out,
              hexin_error *error) {
  return guarded(error,
                 [&] { return handOver(loadModule(*device, ofOurSize(image)), out); });
}

void unload(hexin_device *, hexin_module *module) { delete module; }

uint32_t prepare(hexin_device *device, const hexin_command_desc *desc,
                 hexin_command **out, hexin_error *error) {
  return guarded(error,
                 [&] { return handOver(prepareCommand(*device, ofOurSize(desc)), out); });
}

void discard(hexin_device *, hexin_command *command) { delete command; }

uint32_t submit(hexin_device *device, const hexin_submission *submission,
                hexin_event **out, hexin_error *error) {
  // The caller's thread computes too: its rounding and denormal modes must be the
  // workers', whatever the application has set.
  unsigned mode = _mm_getcsr();
  _mm_setcsr(0x1f80);
  uint32_t code = guarded(error, [&]() -> Status {
    HEXIN_RETURN_IF_ERROR(runSubmission(*device, ofOurSize(submission)));
    *out = &device->done;
    return {};
  });
  _mm_setcsr(mode);
  return code;
}

uint32_t wait(hexin_device *, hexin_event *, hexin_error *) { return 0; }

void *hostPointer(hexin_device *, hexin_buffer *buffer) { return buffer->data; }

uint32_t wrapHost(hexin_device *, void *pointer, uint64_t bytes, hexin_buffer **out,
                  hexin_error *error) {
  return guarded(error, [&]() -> Status {
    if (!pointer || bytes == 0)
      return invalidArgument("expected memory of at least one byte");
    *out = new hexin_buffer_t{static_cast<uint8_t *>(pointer), bytes, false};
    return {};
  });
}

uint64_t counter(hexin_device *device, const char *name) {
  return readCounter(*device, name ? name : "");
}

void forRange(hexin_device *device, int64_t items,
              void (*body)(void *context, int64_t begin, int64_t end), void *context) {
  device->executor->run([&](Team &team) {
    team.parallelFor(items, 1, [&](int64_t begin, int64_t end, unsigned) {
      body(context, begin, end);
    });
  });
}

constexpr hexin_device_api api = {sizeof(hexin_device_api),
                                  HEXIN_DEVICE_ABI_MAJOR,
                                  HEXIN_DEVICE_ABI_MINOR,
                                  "cpu",
                                  enumerate,
                                  openDeviceC,
                                  closeDevice,
                                  allocate,
                                  release,
                                  copy,
                                  load,
                                  unload,
                                  prepare,
                                  discard,
                                  submit,
                                  wait,
                                  hostPointer,
                                  wrapHost,
                                  counter,
                                  /*wrap_device=*/nullptr,
                                  /*device_address=*/nullptr,
                                  /*wait_stream=*/nullptr,
                                  forRange};

} // namespace

extern "C" __attribute__((visibility("default"))) const hexin_device_api *
hexin_backend_query(uint32_t abi_major) {
  return abi_major == HEXIN_DEVICE_ABI_MAJOR ? &api : nullptr;
}
