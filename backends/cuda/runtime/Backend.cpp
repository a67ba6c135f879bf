//===- Backend.cpp - the device ABI over CUDA --------------------------------===//
//
// Translates between the C ABI (codes, structs that grow) and the C++ classes.
//
//===----------------------------------------------------------------------===//
#include "backends/cuda/runtime/CudaDevice.h"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <new>

using namespace hexin;
using namespace hexin::cuda;

/// Everything that exists of a struct a caller filled, the rest zero.
template <typename T> static T readStruct(const T *given) {
  T copy{};
  if (given)
    std::memcpy(static_cast<void *>(&copy), given,
                std::min<size_t>(given->struct_size, sizeof copy));
  return copy;
}

static uint32_t report(const Status &status, hexin_error *error) {
  if (error) {
    error->code = static_cast<uint32_t>(status.code());
    std::snprintf(error->message, sizeof error->message, "%s", status.message().c_str());
  }
  return static_cast<uint32_t>(status.code());
}

/// Runs `body` (returning Status); nothing is thrown across the ABI.
template <typename Body> static uint32_t guarded(hexin_error *error, Body body) {
  try {
    Status status = body();
    return status.ok() ? 0 : report(status, error);
  } catch (const std::bad_alloc &) {
    return report(resourceExhausted("cuda: out of host memory"), error);
  } catch (const std::exception &exception) {
    return report(internalError(std::string("cuda: ") + exception.what()), error);
  } catch (...) {
    return report(internalError("cuda: an unknown exception"), error);
  }
}

/// Hands a created object to the caller.
template <typename T> static Status give(Result<std::unique_ptr<T>> made, T **out) {
  if (!made)
    return made.status();
  *out = (*std::move(made)).release();
  return Status::success();
}

static uint32_t enumerateDevices(uint32_t *count, hexin_device_info *infos,
                                 hexin_error *error) {
  return guarded(error, [&] {
    const DeviceList &list = DeviceList::get();
    auto total = static_cast<uint32_t>(list.devices.size());
    uint32_t room = infos ? std::min(*count, total) : 0;
    for (uint32_t i = 0; i < room; ++i) {
      uint32_t size = infos[i].struct_size;
      std::memcpy(&infos[i], &list.devices[i].info,
                  std::min<size_t>(size, sizeof(hexin_device_info)));
      infos[i].struct_size = size;
    }
    *count = total;
    if (total == 0)
      report({StatusCode::ok, list.reason}, error);
    return Status::success();
  });
}

static uint32_t openDevice(uint32_t index, const hexin_device_options *options,
                           hexin_device **out, hexin_error *error) {
  return guarded(
      error, [&] { return give(hexin_device_t::open(index, readStruct(options)), out); });
}

static void closeDevice(hexin_device *device) { delete device; }

static uint32_t allocateBuffer(hexin_device *device, uint64_t bytes, hexin_buffer **out,
                               hexin_error *error) {
  return guarded(error, [&] { return give(device->allocate(bytes), out); });
}

static void releaseBuffer(hexin_device *device, hexin_buffer *buffer) {
  guarded(nullptr, [&] {
    device->release(std::unique_ptr<hexin_buffer>(buffer));
    return Status::success();
  });
}

static uint32_t copyMemory(hexin_device *device, const hexin_copy *copy,
                           hexin_error *error) {
  return guarded(error, [&] { return device->copy(readStruct(copy)); });
}

static uint32_t copyPeer(hexin_device *device, hexin_buffer *dst, uint64_t dstOffset,
                         hexin_device *srcDevice, hexin_buffer *src, uint64_t srcOffset,
                         uint64_t length, hexin_error *error) {
  return guarded(error, [&] {
    return device->copyPeer(*dst, dstOffset, *srcDevice, *src, srcOffset, length);
  });
}

static uint32_t loadModule(hexin_device *device, const hexin_image *image,
                           hexin_module **out, hexin_error *error) {
  return guarded(error, [&] { return give(device->load(readStruct(image)), out); });
}

static void unloadModule(hexin_device *device, hexin_module *module) {
  guarded(nullptr, [&] {
    device->unload(std::unique_ptr<hexin_module>(module));
    return Status::success();
  });
}

static uint32_t prepareCommand(hexin_device *device, const hexin_command_desc *desc,
                               hexin_command **out, hexin_error *error) {
  return guarded(error, [&] { return give(device->prepare(readStruct(desc)), out); });
}

static void discardCommand(hexin_device *device, hexin_command *command) {
  guarded(nullptr, [&] {
    device->discard(std::unique_ptr<hexin_command>(command));
    return Status::success();
  });
}

/// Tells a caller that knows of it which command failed.
static void setCommand(hexin_error *error, uint32_t command) {
  if (error && error->struct_size >= sizeof(hexin_error))
    error->command = command;
}

static uint32_t submitCommands(hexin_device *device, const hexin_submission *submission,
                               hexin_event **out, hexin_error *error) {
  uint32_t failed = 0;
  uint32_t code = guarded(
      error, [&] { return give(device->submit(readStruct(submission), failed), out); });
  if (code != 0)
    setCommand(error, failed);
  return code;
}

static uint32_t waitForEvent(hexin_device *device, hexin_event *event,
                             hexin_error *error) {
  std::unique_ptr<hexin_event> owned(event);
  uint32_t code = guarded(error, [&] { return device->wait(*owned); });
  if (code != 0)
    setCommand(error, owned->onlyCommand);
  return code;
}

static uint64_t counter(hexin_device *device, const char *name) {
  return device->counter(name);
}

static uint32_t wrapDevice(hexin_device *device, uint64_t address, uint64_t bytes,
                           hexin_buffer **out, hexin_error *error) {
  return guarded(error, [&] { return give(device->wrap(address, bytes), out); });
}

static uint64_t deviceAddress(hexin_device *, hexin_buffer *buffer) {
  return buffer->address;
}

static uint32_t waitStream(hexin_device *device, uint64_t stream, hexin_error *error) {
  return guarded(error, [&] { return device->waitStream(stream); });
}

extern "C" HEXIN_EXPORT const hexin_device_api *hexin_backend_query(uint32_t abiMajor) {
  static const hexin_device_api api = {
      .struct_size = sizeof(hexin_device_api),
      .abi_major = HEXIN_DEVICE_ABI_MAJOR,
      .abi_minor = HEXIN_DEVICE_ABI_MINOR,
      .backend = "cuda",
      .enumerate = enumerateDevices,
      .open = openDevice,
      .close = closeDevice,
      .allocate = allocateBuffer,
      .release = releaseBuffer,
      .copy = copyMemory,
      .load = loadModule,
      .unload = unloadModule,
      .prepare = prepareCommand,
      .discard = discardCommand,
      .submit = submitCommands,
      .wait = waitForEvent,
      .host_pointer = nullptr,
      .wrap_host = nullptr,
      .counter = counter,
      .wrap_device = wrapDevice,
      .device_address = deviceAddress,
      .wait_stream = waitStream,
      .for_range = nullptr,
      .copy_peer = copyPeer,
  };
  return abiMajor == HEXIN_DEVICE_ABI_MAJOR ? &api : nullptr;
}
