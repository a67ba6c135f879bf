//===- OpenclDevice.h - one open OpenCL device -------------------------------------===//
//
// A context with one in-order queue. All methods are thread-safe; what is
// enqueued by one `submit` or `copy` is not interleaved with others.
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_BACKENDS_OPENCL_RUNTIME_OPENCLDEVICE_H
#define HEXIN_BACKENDS_OPENCL_RUNTIME_OPENCLDEVICE_H

#include "backends/opencl/runtime/Buffer.h"
#include "backends/opencl/runtime/ClApi.h"
#include "backends/opencl/runtime/Command.h"
#include "backends/opencl/runtime/DeviceList.h"
#include "backends/opencl/runtime/Module.h"
#include "hexin/status.h"
#include "runtime/base/FileCache.h"
#include "runtime/device/hexin_device.h"

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

/// A submission in flight.
struct hexin_event_t {
  hexin::opencl::ClEvent last; ///< complete when everything is; null for no work
  std::vector<hexin::opencl::ClEvent> perCommand; ///< when profiling; null for no items
  uint64_t *commandNs = nullptr;                  ///< the caller's, filled by wait
  uint64_t submittedNs = 0;                       ///< steady clock
  std::string firstKernel, lastKernel;
};

struct hexin_device_t {
public:
  static hexin::Result<std::unique_ptr<hexin_device_t>>
  open(uint32_t index, const hexin_device_options &options);
  ~hexin_device_t();

  hexin::Result<std::unique_ptr<hexin_buffer_t>> allocate(uint64_t bytes);
  hexin::Result<std::unique_ptr<hexin_buffer_t>> wrapHost(void *pointer, uint64_t bytes);
  void release(std::unique_ptr<hexin_buffer_t> buffer);
  /// Null when the device does not share the host's memory.
  void *hostPointer(hexin_buffer_t &buffer);
  hexin::Status copy(const hexin_copy &copy);

  hexin::Result<std::unique_ptr<hexin_module_t>> load(const hexin_image &image);
  hexin::Result<std::unique_ptr<hexin_command_t>> prepare(const hexin_command_desc &desc);

  hexin::Result<std::unique_ptr<hexin_event_t>>
  submit(const hexin_submission &submission);
  hexin::Status wait(hexin_event_t &event);

  /// Programs built from source ("kernels_compiled") and taken from the cache
  /// ("kernels_cached") since the device was opened; 0 for other names.
  uint64_t counter(const char *name) const;

private:
  hexin_device_t(const hexin::opencl::ClApi &api, const hexin::opencl::ClDevice &device,
                 hexin::FileCache cache);

  hexin::Result<std::unique_ptr<hexin_buffer_t>> createBuffer(uint64_t bytes,
                                                              void *hostMemory);
  hexin::Status checkRange(const hexin_buffer_t &buffer, uint64_t offset, uint64_t length,
                           const char *role) const;
  hexin::Status enqueueCopy(const hexin_copy &copy, cl_event *event);
  hexin::Status enqueueCommands(const hexin_submission &submission, hexin_event_t &event);
  void warmUp(hexin::opencl::Program &program, hexin_command_t &command);

  /// Unmaps a host-visible buffer once per epoch; remap gives them all back.
  hexin::Status unmapForDevice(hexin_buffer_t *buffer);
  hexin::Status remap(cl_event *lastEvent);
  hexin::Status map(hexin_buffer_t &buffer, bool blocking, cl_event *event);

  const hexin::opencl::ClApi &api_;
  const hexin::opencl::ClDevice &device_;
  const std::string what_; ///< "opencl:0 (name)"
  hexin::FileCache cache_;
  hexin::opencl::ClContext context_;
  std::optional<hexin::opencl::ModuleBuilder> builder_; ///< set by open
  hexin::opencl::ClQueue queue_;
  bool profiles_ = false;

  std::mutex queueMutex_;
  uint64_t epoch_ = 0;                     // guarded by queueMutex_
  std::vector<hexin_buffer_t *> unmapped_; // of this epoch; guarded by queueMutex_

  std::atomic<uint64_t> nextBufferId_{1};
};

#endif // HEXIN_BACKENDS_OPENCL_RUNTIME_OPENCLDEVICE_H
