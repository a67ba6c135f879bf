#include "hexin/value.h"

#include "runtime/base/Checked.h"
#include "runtime/base/DType.h"
#include "runtime/base/Dims.h"

#include <algorithm>
#include <cstdlib>
#include <unistd.h>

namespace hexin {
namespace {

// More than the 64 that the API promises: some OpenCL devices use memory in place
// from 128 on.
constexpr size_t tensorAlignment = 128;

/// Physical memory of the machine.
uint64_t machineBytes() {
  static const uint64_t bytes =
      uint64_t(sysconf(_SC_PHYS_PAGES)) * uint64_t(sysconf(_SC_PAGE_SIZE));
  return bytes;
}

struct TensorExtent {
  int64_t numElements;
  int64_t byteLength;
};

Result<TensorExtent> extentOf(DType dtype, std::span<const int64_t> dims) {
  int64_t width = byteWidth(dtype);
  if (width == 0)
    return invalidArgument("a tensor cannot hold elements of type '" +
                           std::string(toString(dtype)) +
                           "'; strings go into a StringTensor");
  auto numElements = checkedNumElements(dims);
  if (!numElements)
    return invalidArgument("tensor sizes " + formatDims(dims) +
                           " are negative or overflow 64 bits");
  auto byteLength = checkedMul(*numElements, width);
  if (!byteLength)
    return invalidArgument("tensor sizes " + formatDims(dims) + " of " +
                           std::string(toString(dtype)) + " overflow 64 bits");
  return TensorExtent{*numElements, *byteLength};
}

} // namespace

Result<Tensor> Tensor::allocate(DType dtype, std::span<const int64_t> dims) {
  HEXIN_ASSIGN_OR_RETURN(TensorExtent extent, extentOf(dtype, dims));
  // An empty tensor still gets an address, so that data() is never null.
  auto padded =
      checkedAlignUp(extent.byteLength > 0 ? extent.byteLength : 1, tensorAlignment);
  // More than the machine has would be granted and fail later, at its first touch.
  void *memory = padded && static_cast<uint64_t>(*padded) <= machineBytes()
                     ? std::aligned_alloc(tensorAlignment, static_cast<size_t>(*padded))
                     : nullptr;
  if (!memory)
    return resourceExhausted("no memory for a tensor of " +
                             std::to_string(extent.byteLength) + " bytes, sizes " +
                             formatDims(dims) + "; the machine has " +
                             std::to_string(machineBytes()));
  Tensor tensor;
  tensor.dtype_ = dtype;
  tensor.dims_.assign(dims.begin(), dims.end());
  tensor.numElements_ = extent.numElements;
  tensor.byteLength_ = static_cast<size_t>(extent.byteLength);
  tensor.data_ = memory;
  tensor.owner_ = std::shared_ptr<void>(memory, std::free);
  return tensor;
}

/// A tensor without memory yet, whose elements take `byteLength` bytes.
Result<Tensor> Tensor::describe(DType dtype, std::span<const int64_t> dims,
                                size_t byteLength) {
  HEXIN_ASSIGN_OR_RETURN(TensorExtent extent, extentOf(dtype, dims));
  if (byteLength != static_cast<size_t>(extent.byteLength))
    return invalidArgument(
        "a tensor of " + std::string(toString(dtype)) + " " + formatDims(dims) + " has " +
        std::to_string(extent.byteLength) + " bytes, got " + std::to_string(byteLength));
  Tensor tensor;
  tensor.dtype_ = dtype;
  tensor.dims_.assign(dims.begin(), dims.end());
  tensor.numElements_ = extent.numElements;
  tensor.byteLength_ = byteLength;
  return tensor;
}

Result<Tensor> Tensor::wrap(DType dtype, std::span<const int64_t> dims, void *data,
                            size_t byteLength, std::shared_ptr<void> owner) {
  HEXIN_ASSIGN_OR_RETURN(Tensor tensor, describe(dtype, dims, byteLength));
  if (!data && byteLength > 0)
    return invalidArgument("a tensor of " + std::to_string(byteLength) +
                           " bytes was given no memory");
  tensor.data_ = data;
  tensor.owner_ = std::move(owner);
  return tensor;
}

Result<Tensor> Tensor::wrapDevice(DType dtype, std::span<const int64_t> dims,
                                  std::string device, uint64_t address, size_t byteLength,
                                  std::shared_ptr<void> owner,
                                  std::optional<uint64_t> stream) {
  HEXIN_ASSIGN_OR_RETURN(Tensor tensor, describe(dtype, dims, byteLength));
  if (device.empty())
    return invalidArgument("a tensor of a device needs the device's name");
  if (address == 0 && byteLength > 0)
    return invalidArgument("a tensor of " + std::to_string(byteLength) +
                           " bytes was given no memory");
  uint64_t width = static_cast<uint64_t>(byteWidth(dtype));
  if (address % std::min<uint64_t>(width, 8) != 0)
    return invalidArgument("a tensor of " + std::string(toString(dtype)) +
                           " lies at a device address that is no multiple of its " +
                           std::to_string(width) + " bytes");
  tensor.device_ = std::move(device);
  tensor.deviceAddress_ = address;
  tensor.owner_ = std::move(owner);
  tensor.stream_ = stream;
  return tensor;
}

} // namespace hexin
