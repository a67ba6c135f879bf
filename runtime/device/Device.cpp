#include "runtime/device/Device.h"

#include <algorithm>
#include <cstring>
#include <string_view>

namespace hexin {
namespace {

hexin_error emptyError() {
  hexin_error error;
  error.struct_size = sizeof error;
  error.code = 0;
  error.message[0] = '\0';
  error.command = 0;
  return error;
}

std::vector<std::string> splitArchs(std::string_view list) {
  std::vector<std::string> archs;
  while (!list.empty()) {
    size_t end = std::min(list.find(';'), list.size());
    if (end > 0)
      archs.emplace_back(list.substr(0, end));
    list.remove_prefix(std::min(end + 1, list.size()));
  }
  return archs;
}

} // namespace

Status deviceStatus(uint32_t code, const hexin_error &error, const std::string &id) {
  if (code == 0)
    return Status::success();
  auto status = code <= static_cast<uint32_t>(StatusCode::internal)
                    ? static_cast<StatusCode>(code)
                    : StatusCode::internal;
  std::string_view message(error.message, strnlen(error.message, sizeof error.message));
  return Status(status, message.empty() ? "no reason given" : std::string(message))
      .withContext("device '" + id + "'");
}

Status Event::wait(uint32_t *command) {
  if (!event_)
    return Status::success();
  hexin_error error = emptyError();
  uint32_t code =
      device_->api().wait(device_->handle(), std::exchange(event_, nullptr), &error);
  if (command)
    *command = error.command;
  return deviceStatus(code, error, device_->id());
}

Result<std::shared_ptr<Device>> Device::open(const hexin_device_api &api,
                                             const hexin_device_info &info,
                                             std::string id,
                                             const DeviceOptions &options) {
  std::shared_ptr<Device> device(new Device(api, info, std::move(id)));
  device->cacheDir_ = options.cacheDir;
  hexin_device_options raw{};
  raw.struct_size = sizeof raw;
  raw.threads = options.threads;
  raw.pin_threads = options.pinThreads;
  raw.profile = options.profile;
  raw.cache_dir = options.cacheDir.c_str();
  raw.max_isa = options.maxIsa.empty() ? nullptr : options.maxIsa.c_str();
  hexin_error error = emptyError();
  uint32_t code = api.open(info.index, &raw, &device->handle_, &error);
  HEXIN_RETURN_IF_ERROR(deviceStatus(code, error, device->id_));

  std::string_view archs(info.image_archs,
                         strnlen(info.image_archs, sizeof info.image_archs));
  device->imageArchs_ = splitArchs(archs);
  // A limit above what the device can do is no limit.
  auto limit =
      std::find(device->imageArchs_.begin(), device->imageArchs_.end(), options.maxIsa);
  if (limit != device->imageArchs_.end())
    device->imageArchs_.erase(device->imageArchs_.begin(), limit);
  return device;
}

Device::~Device() {
  if (handle_)
    api_.close(handle_);
}

Result<Buffer> Device::allocate(uint64_t bytes) const {
  hexin_error error = emptyError();
  hexin_buffer *buffer = nullptr;
  uint32_t code = api_.allocate(handle_, std::max<uint64_t>(bytes, 1), &buffer, &error);
  HEXIN_RETURN_IF_ERROR(
      deviceStatus(code, error, id_)
          .withContext("allocating " + std::to_string(bytes) + " bytes"));
  return Buffer(*this, buffer);
}

Result<Buffer> Device::wrapHost(void *pointer, uint64_t bytes) const {
  if (!canWrapHost())
    return unsupported("device '" + id_ + "' cannot use the caller's memory");
  hexin_error error = emptyError();
  hexin_buffer *buffer = nullptr;
  uint32_t code =
      api_.wrap_host(handle_, pointer, std::max<uint64_t>(bytes, 1), &buffer, &error);
  HEXIN_RETURN_IF_ERROR(deviceStatus(code, error, id_));
  return Buffer(*this, buffer);
}

Result<Buffer> Device::wrapDevice(uint64_t address, uint64_t bytes) const {
  if (!canWrapDevice())
    return unsupported("device '" + id_ +
                       "' cannot use memory that the caller has on it; "
                       "copy it to the host first");
  hexin_error error = emptyError();
  hexin_buffer *buffer = nullptr;
  uint32_t code =
      api_.wrap_device(handle_, address, std::max<uint64_t>(bytes, 1), &buffer, &error);
  HEXIN_RETURN_IF_ERROR(deviceStatus(code, error, id_));
  return Buffer(*this, buffer);
}

uint64_t Device::deviceAddress(const Buffer &buffer) const {
  return canWrapDevice() ? api_.device_address(handle_, buffer.get()) : 0;
}

void Device::forRange(int64_t items,
                      const std::function<void(int64_t, int64_t)> &body) const {
  if (!api_.for_range) {
    if (items > 0)
      body(0, items);
    return;
  }
  api_.for_range(
      handle_, items,
      [](void *context, int64_t begin, int64_t end) {
        (*static_cast<const std::function<void(int64_t, int64_t)> *>(context))(begin,
                                                                               end);
      },
      const_cast<void *>(static_cast<const void *>(&body)));
}

Status Device::waitStream(uint64_t stream) const {
  if (!canWrapDevice())
    return unsupported("device '" + id_ + "' does not know the caller's streams");
  hexin_error error = emptyError();
  return deviceStatus(api_.wait_stream(handle_, stream, &error), error, id_);
}

void *Device::hostPointer(const Buffer &buffer) const {
  return hasHostMemory() && api_.host_pointer ? api_.host_pointer(handle_, buffer.get())
                                              : nullptr;
}

Status Device::upload(const void *src, hexin_buffer *dst, uint64_t dstOffset,
                      uint64_t length) const {
  if (length == 0)
    return Status::success();
  hexin_copy copy{sizeof(hexin_copy), dst, nullptr, dstOffset, nullptr, src, 0, length};
  hexin_error error = emptyError();
  return deviceStatus(api_.copy(handle_, &copy, &error), error, id_);
}

Status Device::download(hexin_buffer *src, uint64_t srcOffset, void *dst,
                        uint64_t length) const {
  if (length == 0)
    return Status::success();
  hexin_copy copy{sizeof(hexin_copy), nullptr, dst, 0, src, nullptr, srcOffset, length};
  hexin_error error = emptyError();
  return deviceStatus(api_.copy(handle_, &copy, &error), error, id_);
}

Status Device::copy(hexin_buffer *src, uint64_t srcOffset, hexin_buffer *dst,
                    uint64_t dstOffset, uint64_t length) const {
  if (length == 0)
    return Status::success();
  hexin_copy copy{sizeof(hexin_copy), dst,   nullptr, dstOffset, src, nullptr,
                  srcOffset,          length};
  hexin_error error = emptyError();
  return deviceStatus(api_.copy(handle_, &copy, &error), error, id_);
}

Status Device::copyPeer(const Device &source, hexin_buffer *src, uint64_t srcOffset,
                        hexin_buffer *dst, uint64_t dstOffset, uint64_t length) const {
  if (!api_.copy_peer || api_.copy_peer != source.api_.copy_peer)
    return unsupported("devices '" + source.id_ + "' and '" + id_ +
                       "' copy by way of the host");
  if (length == 0)
    return Status::success();
  hexin_error error = emptyError();
  return deviceStatus(api_.copy_peer(handle_, dst, dstOffset, source.handle_, src,
                                     srcOffset, length, &error),
                      error, id_);
}

Status Device::synchronise() const {
  hexin_submission nothing{};
  nothing.struct_size = sizeof nothing;
  HEXIN_ASSIGN_OR_RETURN(Event event, submit(nothing));
  return event.wait();
}

Result<Module> Device::load(const hexin_image &image) const {
  hexin_error error = emptyError();
  hexin_module *module = nullptr;
  uint32_t code = api_.load(handle_, &image, &module, &error);
  HEXIN_RETURN_IF_ERROR(deviceStatus(code, error, id_));
  return Module(*this, module);
}

Result<Command> Device::prepare(const hexin_command_desc &desc) const {
  hexin_error error = emptyError();
  hexin_command *command = nullptr;
  uint32_t code = api_.prepare(handle_, &desc, &command, &error);
  HEXIN_RETURN_IF_ERROR(deviceStatus(code, error, id_));
  return Command(*this, command);
}

Result<Event> Device::submit(const hexin_submission &submission,
                             uint32_t *command) const {
  hexin_error error = emptyError();
  hexin_event *event = nullptr;
  uint32_t code = api_.submit(handle_, &submission, &event, &error);
  if (command)
    *command = error.command;
  HEXIN_RETURN_IF_ERROR(deviceStatus(code, error, id_));
  return Event(*this, event);
}

uint64_t Device::counter(const char *name) const {
  return api_.counter ? api_.counter(handle_, name) : 0;
}

} // namespace hexin
