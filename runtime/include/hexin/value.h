//===- hexin/value.h - what goes into a model and comes out of it ----------===//
//
// A Value is a tensor, a sequence, an optional, a map or a tensor of strings.
// Tensors are row-major and dense; their memory is either owned (shared between
// copies of the Tensor) or borrowed from the caller, who keeps it alive until
// the run that uses it has ended. It is the host's, or of a device whose driver
// shares its addresses (CUDA): then it has no data(), and copyTo() of device.h
// brings it to the host.
//
// Thread-safety: distinct objects may be used from distinct threads; one object
// like any C++ value.
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_VALUE_H
#define HEXIN_VALUE_H

#include "hexin/status.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace hexin {

/// Element types. The numbers are part of the artifact format and the C ABI:
/// only append.
enum class DType : uint8_t {
  boolean = 0, ///< one byte, 0 or 1
  i8 = 1,
  i16 = 2,
  i32 = 3,
  i64 = 4,
  u8 = 5,
  u16 = 6,
  u32 = 7,
  u64 = 8,
  f16 = 9,
  bf16 = 10,
  f32 = 11,
  f64 = 12,
  c64 = 13,  ///< two f32
  c128 = 14, ///< two f64
  string = 15,
  f8e4m3fn = 16,
  f8e4m3fnuz = 17,
  f8e5m2 = 18,
  f8e5m2fnuz = 19,
  f8e8m0 = 20,
  i4 = 21, ///< below 8 bits: one byte per element outside of weights
  u4 = 22,
  i2 = 23,
  u2 = 24,
  f4e2m1 = 25,
};

/// "f32", "i64", "bool", ...
HEXIN_EXPORT std::string_view toString(DType dtype);

/// A dense row-major tensor: type, sizes, memory.
class HEXIN_EXPORT Tensor {
public:
  Tensor() = default;

  /// Owned, uninitialised, 64-byte aligned memory. invalidArgument for a negative size,
  /// an overflow or a dtype without elements of a size (string); resourceExhausted when
  /// there is no memory.
  static Result<Tensor> allocate(DType dtype, std::span<const int64_t> dims);

  /// Borrows `data`, `byteLength` bytes, which must hold exactly the elements
  /// of `dims` (else invalidArgument). The caller keeps it alive as long as the tensor
  /// and what is made with it; `owner`, when given, is kept alive with the tensor.
  static Result<Tensor> wrap(DType dtype, std::span<const int64_t> dims, void *data,
                             size_t byteLength, std::shared_ptr<void> owner = nullptr);

  /// As wrap(), of memory on `device` (DeviceInfo::id; or the backend's name alone, as in
  /// "cuda", for the one that has the address) at `address`, as its driver calls it: a
  /// CUdeviceptr of the primary context. A session of that device reads and writes it in
  /// place where it is aligned to 256 bytes, else through a copy on the device. `stream`:
  /// a stream of that driver in which the caller's work on the memory is queued; runs
  /// come behind what it holds when they begin. Without one the caller has waited for
  /// that work. When a run has ended, so has all that it did.
  static Result<Tensor> wrapDevice(DType dtype, std::span<const int64_t> dims,
                                   std::string device, uint64_t address,
                                   size_t byteLength,
                                   std::shared_ptr<void> owner = nullptr,
                                   std::optional<uint64_t> stream = std::nullopt);

  bool isOnHost() const { return device_.empty(); }
  const std::string &device() const { return device_; } ///< "" for the host
  uint64_t deviceAddress() const { return deviceAddress_; }
  std::optional<uint64_t> stream() const { return stream_; }

  DType dtype() const { return dtype_; }
  std::span<const int64_t> dims() const { return dims_; }
  int64_t numElements() const { return numElements_; }
  size_t byteLength() const { return byteLength_; }

  /// Null for memory of a device.
  void *data() { return data_; }
  const void *data() const { return data_; }
  template <typename T> T *as() { return static_cast<T *>(data_); }
  template <typename T> const T *as() const { return static_cast<const T *>(data_); }
  /// What keeps the memory alive; null for memory of the caller.
  const std::shared_ptr<void> &owner() const { return owner_; }

private:
  static Result<Tensor> describe(DType dtype, std::span<const int64_t> dims,
                                 size_t byteLength);

  DType dtype_ = DType::f32;
  std::vector<int64_t> dims_;
  int64_t numElements_ = 0;
  size_t byteLength_ = 0;
  void *data_ = nullptr;
  std::shared_ptr<void> owner_;
  std::string device_;
  uint64_t deviceAddress_ = 0;
  std::optional<uint64_t> stream_;
};

/// A dense row-major tensor of UTF-8 strings.
struct StringTensor {
  std::vector<int64_t> dims;
  std::vector<std::string> elements;
};

class Value;

/// Values in order, all of one type.
struct Sequence {
  std::vector<Value> elements;
};

/// A value or nothing.
struct Optional {
  std::shared_ptr<const Value> value;
};

/// Values by key; keys are all integers or all strings.
struct Map {
  std::map<std::variant<int64_t, std::string>, Value> entries;
};

/// One of the five. The accessors give null when it is another one.
class Value {
public:
  Value() = default;
  Value(Tensor tensor) : held_(std::move(tensor)) {}
  Value(StringTensor strings) : held_(std::move(strings)) {}
  Value(Sequence sequence) : held_(std::move(sequence)) {}
  Value(Optional optional) : held_(std::move(optional)) {}
  Value(Map map) : held_(std::move(map)) {}

  const Tensor *tensor() const { return std::get_if<Tensor>(&held_); }
  Tensor *tensor() { return std::get_if<Tensor>(&held_); }
  const StringTensor *strings() const { return std::get_if<StringTensor>(&held_); }
  const Sequence *sequence() const { return std::get_if<Sequence>(&held_); }
  const Optional *optional() const { return std::get_if<Optional>(&held_); }
  const Map *map() const { return std::get_if<Map>(&held_); }

private:
  std::variant<Tensor, StringTensor, Sequence, Optional, Map> held_;
};

/// Kinds of value a model declares for its inputs and outputs.
enum class ValueKind : uint8_t {
  tensor = 0,
  strings = 1,
  sequence = 2,
  optional = 3,
  map = 4,
};

} // namespace hexin

#endif // HEXIN_VALUE_H
