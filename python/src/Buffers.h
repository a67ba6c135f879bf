//===- Buffers.h - memory of Python objects, with its type and layout ----------===//
#ifndef HEXIN_PYTHON_BUFFERS_H
#define HEXIN_PYTHON_BUFFERS_H

#include "hexin/value.h"

#include <nanobind/nanobind.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace hexin::python {

/// Memory lent by a Python object while `owner` lives. Strides are in bytes.
struct BorrowedArray {
  DType dtype = DType::f32;
  std::vector<int64_t> dims;
  std::vector<int64_t> byteStrides;
  std::byte *data = nullptr;
  size_t elementBytes = 0;
  std::shared_ptr<void> owner;
  /// Of memory on a device (Tensor::wrapDevice); `data` is its address there.
  std::string device;
  std::optional<uint64_t> stream;

  bool isOnHost() const { return device.empty(); }
  /// Row-major without gaps, and aligned to the element.
  bool isDense() const;
  /// The elements in row-major order at `dst`.
  void copyTo(std::byte *dst) const;
};

/// Through the buffer protocol; nullopt when the object has none or its elements
/// have no type of ours (bfloat16 of ml_dtypes, for one). Throws StatusError for
/// what can never do: big endian, or not writable when `isWritten`.
std::optional<BorrowedArray> borrowBuffer(nanobind::handle object, bool isWritten);

/// Through DLPack; nullopt when the object has none. Memory of a CUDA device comes with
/// the legacy default stream, for which the protocol has the producer make it ready.
/// Throws StatusError for memory of other devices.
std::optional<BorrowedArray> borrowDlpack(nanobind::handle object, bool isWritten);

/// Through `__cuda_array_interface__`, with the stream that it names; nullopt when the
/// object has none. Which of the CUDA devices has the memory is left to its address.
/// Throws StatusError for a malformed one, and for a mask.
std::optional<BorrowedArray> borrowCudaArray(nanobind::handle object, bool isWritten);

} // namespace hexin::python

#endif // HEXIN_PYTHON_BUFFERS_H
