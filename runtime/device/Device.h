//===- Device.h - an open device, and what lives on it, as C++ values ----------===//
//
// Thin owners over hexin_device.h: errors become Status, handles are released by
// destructors. Buffer, Module, Command and Event borrow their Device: whoever
// holds them holds the device (a shared_ptr) as well, and destroys it last.
//
// Threads: as the C ABI says. A Device may be used from several threads at once.
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_RUNTIME_DEVICE_DEVICE_H
#define HEXIN_RUNTIME_DEVICE_DEVICE_H

#include "runtime/device/hexin_device.h"

#include "hexin/status.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace hexin {

class Device;

/// Owns one handle of a device; `Release` is the table's function that frees it.
template <typename Handle, void (*hexin_device_api::*Release)(hexin_device *, Handle *)>
class DeviceHandle {
public:
  DeviceHandle() = default;
  DeviceHandle(const Device &device, Handle *handle)
      : device_(&device), handle_(handle) {}
  DeviceHandle(DeviceHandle &&other) noexcept
      : device_(other.device_), handle_(std::exchange(other.handle_, nullptr)) {}
  DeviceHandle &operator=(DeviceHandle &&other) noexcept {
    std::swap(device_, other.device_);
    std::swap(handle_, other.handle_);
    return *this;
  }
  ~DeviceHandle();

  Handle *get() const { return handle_; }
  explicit operator bool() const { return handle_ != nullptr; }

private:
  const Device *device_ = nullptr;
  Handle *handle_ = nullptr;
};

using Buffer = DeviceHandle<hexin_buffer, &hexin_device_api::release>;
using Module = DeviceHandle<hexin_module, &hexin_device_api::unload>;
using Command = DeviceHandle<hexin_command, &hexin_device_api::discard>;

/// A submission in flight. Destroying it waits and drops what went wrong.
class Event {
public:
  Event() = default;
  Event(const Device &device, hexin_event *event) : device_(&device), event_(event) {}
  Event(Event &&other) noexcept
      : device_(other.device_), event_(std::exchange(other.event_, nullptr)) {}
  Event &operator=(Event &&other) noexcept {
    std::swap(device_, other.device_);
    std::swap(event_, other.event_);
    return *this;
  }
  ~Event() { static_cast<void>(wait().ok()); }

  /// Waits for the submission and says how it went; success when there is none.
  /// `command`, where given, as hexin_error has it.
  Status wait(uint32_t *command = nullptr);

private:
  const Device *device_ = nullptr;
  hexin_event *event_ = nullptr;
};

/// How a device is opened. Devices opened with equal options are shared.
struct DeviceOptions {
  uint32_t threads = 0;
  bool pinThreads = true;
  bool profile = false;
  std::string cacheDir; ///< "" = no cache on disk
  std::string maxIsa;

  auto operator<=>(const DeviceOptions &) const = default;
};

class Device {
public:
  /// `api` stays valid for good (backends are never unloaded).
  static Result<std::shared_ptr<Device>> open(const hexin_device_api &api,
                                              const hexin_device_info &info,
                                              std::string id,
                                              const DeviceOptions &options);
  ~Device();
  Device(const Device &) = delete;
  Device &operator=(const Device &) = delete;

  const std::string &id() const { return id_; }
  const hexin_device_info &info() const { return info_; }
  /// Code it can load, best first, cut off above DeviceOptions::maxIsa.
  const std::vector<std::string> &imageArchs() const { return imageArchs_; }
  /// The largest buffer it makes; no limit where it names none.
  uint64_t maxBufferBytes() const {
    return info_.max_buffer_bytes ? info_.max_buffer_bytes : UINT64_MAX / 2;
  }
  bool hasHostMemory() const { return info_.flags & HEXIN_DEVICE_HOST_MEMORY; }
  bool canWrapHost() const { return hasHostMemory() && api_.wrap_host; }
  /// Whether callers may hand in, and be given, addresses of its memory.
  bool canWrapDevice() const {
    return api_.wrap_device && api_.device_address && api_.wait_stream;
  }

  /// Device memory with undefined contents; 0 bytes gives 1.
  Result<Buffer> allocate(uint64_t bytes) const;
  /// The caller's memory as a buffer; it must outlive the buffer.
  Result<Buffer> wrapHost(void *pointer, uint64_t bytes) const;
  /// The caller's memory on this device as a buffer; it must outlive the buffer.
  /// Unsupported unless canWrapDevice().
  Result<Buffer> wrapDevice(uint64_t address, uint64_t bytes) const;
  /// 0 unless canWrapDevice().
  uint64_t deviceAddress(const Buffer &buffer) const;
  /// What follows here comes behind what is in the driver's stream `stream` now.
  Status waitStream(uint64_t stream) const;
  /// Null for devices whose buffers are not host memory.
  void *hostPointer(const Buffer &buffer) const;

  Status upload(const void *src, hexin_buffer *dst, uint64_t dstOffset,
                uint64_t length) const;
  Status download(hexin_buffer *src, uint64_t srcOffset, void *dst,
                  uint64_t length) const;
  Status copy(hexin_buffer *src, uint64_t srcOffset, hexin_buffer *dst,
              uint64_t dstOffset, uint64_t length) const;

  /// Copies from a buffer of another device and returns when it is done. Unsupported:
  /// go by way of the host.
  Status copyPeer(const Device &source, hexin_buffer *src, uint64_t srcOffset,
                  hexin_buffer *dst, uint64_t dstOffset, uint64_t length) const;

  /// Calls body(begin, end) for parts that make up [0, items): on the device's threads
  /// where those are the process's own, else on the caller's. `body` must not throw nor
  /// call the device.
  void forRange(int64_t items, const std::function<void(int64_t, int64_t)> &body) const;

  /// Waits for all that was given to the device.
  Status synchronise() const;

  Result<Module> load(const hexin_image &image) const;
  Result<Command> prepare(const hexin_command_desc &desc) const;
  /// `command`, where given, as hexin_error has it.
  Result<Event> submit(const hexin_submission &submission,
                       uint32_t *command = nullptr) const;
  uint64_t counter(const char *name) const;

  /// DeviceOptions::cacheDir.
  const std::string &cacheDir() const { return cacheDir_; }

  const hexin_device_api &api() const { return api_; }
  hexin_device *handle() const { return handle_; }

private:
  Device(const hexin_device_api &api, const hexin_device_info &info, std::string id)
      : api_(api), info_(info), id_(std::move(id)) {}

  const hexin_device_api &api_;
  hexin_device_info info_;
  std::string id_;
  std::vector<std::string> imageArchs_;
  std::string cacheDir_;
  hexin_device *handle_ = nullptr;
};

template <typename Handle, void (*hexin_device_api::*Release)(hexin_device *, Handle *)>
DeviceHandle<Handle, Release>::~DeviceHandle() {
  if (handle_)
    (device_->api().*Release)(device_->handle(), handle_);
}

/// The Status for a code and error that a backend returned; `id` names the device.
Status deviceStatus(uint32_t code, const hexin_error &error, const std::string &id);

} // namespace hexin

#endif // HEXIN_RUNTIME_DEVICE_DEVICE_H
