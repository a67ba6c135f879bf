#include "runtime/exec/DeviceTensor.h"

#include "runtime/base/Checked.h"
#include "runtime/base/DType.h"
#include "runtime/base/Guarded.h"
#include "runtime/device/BackendRegistry.h"

#include "hexin/device.h"

#include <cstring>

namespace hexin {
namespace {

/// Keeps a buffer and, longer, what it is on.
struct DeviceMemory {
  std::shared_ptr<Device> device;
  Buffer buffer;
};

/// An address range as memory of `tensor`'s device, behind what is queued in its stream.
Result<Buffer> borrow(const Device &device, const Tensor &tensor) {
  if (tensor.stream())
    HEXIN_RETURN_IF_ERROR(device.waitStream(*tensor.stream()));
  return device.wrapDevice(tensor.deviceAddress(), tensor.byteLength());
}

Result<Tensor> copyToHost(const Tensor &src) {
  HEXIN_ASSIGN_OR_RETURN(Tensor dst, Tensor::allocate(src.dtype(), src.dims()));
  if (src.byteLength() == 0)
    return dst;
  if (src.isOnHost()) {
    std::memcpy(dst.data(), src.data(), src.byteLength());
    return dst;
  }
  HEXIN_ASSIGN_OR_RETURN(auto device, BackendRegistry::instance().openAny(src.device()));
  HEXIN_ASSIGN_OR_RETURN(Buffer buffer, borrow(*device, src));
  HEXIN_RETURN_IF_ERROR(device->download(buffer.get(), 0, dst.data(), dst.byteLength()));
  return dst;
}

Result<Tensor> copyToDevice(const Tensor &src, const std::shared_ptr<Device> &device) {
  HEXIN_ASSIGN_OR_RETURN(Tensor dst, allocateOn(device, src.dtype(), src.dims()));
  if (dst.byteLength() == 0)
    return dst;
  HEXIN_ASSIGN_OR_RETURN(Buffer to,
                         device->wrapDevice(dst.deviceAddress(), dst.byteLength()));
  if (src.isOnHost()) {
    HEXIN_RETURN_IF_ERROR(device->upload(src.data(), to.get(), 0, src.byteLength()));
  } else {
    HEXIN_ASSIGN_OR_RETURN(Buffer from, borrow(*device, src));
    HEXIN_RETURN_IF_ERROR(device->copy(from.get(), 0, to.get(), 0, src.byteLength()));
  }
  HEXIN_RETURN_IF_ERROR(device->synchronise()); // others read it in streams of theirs
  return dst;
}

/// From one device to another: straight where they can, else by way of the host.
Result<Tensor> copyAcross(const Tensor &src, const std::shared_ptr<Device> &device) {
  HEXIN_ASSIGN_OR_RETURN(auto source, BackendRegistry::instance().openAny(src.device()));
  if (source->canWrapDevice() && device->canWrapDevice()) {
    HEXIN_ASSIGN_OR_RETURN(Tensor dst, allocateOn(device, src.dtype(), src.dims()));
    if (dst.byteLength() == 0)
      return dst;
    HEXIN_ASSIGN_OR_RETURN(Buffer from, borrow(*source, src));
    HEXIN_ASSIGN_OR_RETURN(Buffer to,
                           device->wrapDevice(dst.deviceAddress(), dst.byteLength()));
    Status copied =
        device->copyPeer(*source, from.get(), 0, to.get(), 0, src.byteLength());
    if (copied.ok())
      return dst;
    if (copied.code() != StatusCode::unsupported)
      return copied;
  }
  HEXIN_ASSIGN_OR_RETURN(Tensor between, copyToHost(src));
  return copyToDevice(between, device);
}

} // namespace

Result<Tensor> allocateOn(const std::shared_ptr<Device> &device, DType dtype,
                          std::span<const int64_t> dims) {
  if (device->hasHostMemory())
    return Tensor::allocate(dtype, dims);
  if (!device->canWrapDevice())
    return unsupported("device '" + device->id() +
                       "' gives out no addresses of its "
                       "memory; leave the tensor on the host");
  auto elements = checkedNumElements(dims);
  auto bytes = elements ? checkedMul(*elements, byteWidth(dtype)) : std::nullopt;
  if (!bytes)
    return invalidArgument("a tensor's sizes are negative or overflow 64 bits");
  auto memory = std::make_shared<DeviceMemory>();
  memory->device = device;
  HEXIN_ASSIGN_OR_RETURN(memory->buffer, device->allocate(static_cast<uint64_t>(*bytes)));
  uint64_t address = device->deviceAddress(memory->buffer);
  return Tensor::wrapDevice(dtype, dims, device->id(), address,
                            static_cast<size_t>(*bytes), std::move(memory));
}

bool overlap(const Tensor &a, const Tensor &b) {
  auto begin = [](const Tensor &tensor) {
    return tensor.isOnHost() ? reinterpret_cast<uintptr_t>(tensor.data())
                             : tensor.deviceAddress();
  };
  return a.isOnHost() == b.isOnHost() && begin(a) < begin(b) + b.byteLength() &&
         begin(b) < begin(a) + a.byteLength();
}

Result<Tensor> copyTo(const Tensor &tensor, const std::string &id) {
  return guarded([&]() -> Result<Tensor> {
    if (id.empty())
      return copyToHost(tensor);
    HEXIN_ASSIGN_OR_RETURN(auto device, BackendRegistry::instance().openAny(id));
    if (device->hasHostMemory())
      return copyToHost(tensor);
    if (tensor.isOnHost() || tensor.device() == device->id())
      return copyToDevice(tensor, device);
    return copyAcross(tensor, device);
  });
}

} // namespace hexin
