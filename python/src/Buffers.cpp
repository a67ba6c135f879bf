#include "python/src/Buffers.h"

#include "python/src/Errors.h"
#include "python/src/PythonOwner.h"

#include <nanobind/ndarray.h>

#include <cstring>
#include <string_view>

namespace nb = nanobind;

namespace hexin::python {
namespace {

/// The DType of numbers of `kind` (b i u f c) and `width` bytes.
std::optional<DType> numberType(char kind, size_t width) {
  switch (kind) {
  case 'b':
    return width == 1 ? std::optional(DType::boolean) : std::nullopt;
  case 'i':
    return width == 1   ? std::optional(DType::i8)
           : width == 2 ? std::optional(DType::i16)
           : width == 4 ? std::optional(DType::i32)
           : width == 8 ? std::optional(DType::i64)
                        : std::nullopt;
  case 'u':
    return width == 1   ? std::optional(DType::u8)
           : width == 2 ? std::optional(DType::u16)
           : width == 4 ? std::optional(DType::u32)
           : width == 8 ? std::optional(DType::u64)
                        : std::nullopt;
  case 'f':
    return width == 2   ? std::optional(DType::f16)
           : width == 4 ? std::optional(DType::f32)
           : width == 8 ? std::optional(DType::f64)
                        : std::nullopt;
  case 'c':
    return width == 8    ? std::optional(DType::c64)
           : width == 16 ? std::optional(DType::c128)
                         : std::nullopt;
  default:
    return std::nullopt;
  }
}

/// The type of a buffer's struct-module format, as in "<f" or "Zd".
std::optional<DType> formatType(std::string_view format, size_t width) {
  if (!format.empty() &&
      std::string_view("@=<>!").find(format[0]) != std::string_view::npos) {
    if ((format[0] == '>' || format[0] == '!') && width > 1)
      throw StatusError(
          invalidArgument("the array is big endian; expected native byte order, e.g. "
                          "array.astype(array.dtype.newbyteorder('='))"));
    format.remove_prefix(1);
  }
  if (format.empty())
    return numberType('u', width); // the protocol's default: bytes
  if (format[0] == 'Z')
    return numberType('c', width);
  if (format.size() != 1)
    return std::nullopt;
  char code = format[0];
  char kind = code == '?'                                                       ? 'b'
              : std::string_view("bhilqn").find(code) != std::string_view::npos ? 'i'
              : std::string_view("BHILQN").find(code) != std::string_view::npos ? 'u'
              : std::string_view("efd").find(code) != std::string_view::npos    ? 'f'
                                                                                : 0;
  return numberType(kind, width);
}

std::optional<DType> dlpackType(nb::dlpack::dtype dtype) {
  using Code = nb::dlpack::dtype_code;
  if (dtype.lanes != 1 || dtype.bits % 8 != 0)
    return std::nullopt;
  size_t width = dtype.bits / 8u;
  switch (static_cast<Code>(dtype.code)) {
  case Code::Bool:
    return numberType('b', width);
  case Code::Int:
    return numberType('i', width);
  case Code::UInt:
    return numberType('u', width);
  case Code::Float:
    return numberType('f', width);
  case Code::Complex:
    return numberType('c', width);
  case Code::Bfloat:
    return width == 2 ? std::optional(DType::bf16) : std::nullopt;
  case Code::Float8_E4M3FN:
    return DType::f8e4m3fn;
  case Code::Float8_E4M3FNUZ:
    return DType::f8e4m3fnuz;
  case Code::Float8_E5M2:
    return DType::f8e5m2;
  case Code::Float8_E5M2FNUZ:
    return DType::f8e5m2fnuz;
  case Code::Float8_E8M0FNU:
    return DType::f8e8m0;
  default:
    return std::nullopt;
  }
}

/// A Py_buffer that gives itself back.
struct BufferView {
  Py_buffer view{};
  BufferView() = default;
  BufferView(BufferView &&other) noexcept : view(std::exchange(other.view, {})) {}
  BufferView &operator=(BufferView &&) = delete;
  ~BufferView() { PyBuffer_Release(&view); } // does nothing when empty
};

void copyAxis(const BorrowedArray &src, size_t axis, const std::byte *from,
              std::byte *&to) {
  if (axis == src.dims.size()) {
    std::memcpy(to, from, src.elementBytes);
    to += src.elementBytes;
    return;
  }
  for (int64_t i = 0; i < src.dims[axis]; ++i)
    copyAxis(src, axis + 1, from + i * src.byteStrides[axis], to);
}

} // namespace

bool isInterpreterAlive() {
#if PY_VERSION_HEX >= 0x030D0000
  return Py_IsInitialized() && !Py_IsFinalizing();
#else
  return Py_IsInitialized() && !_Py_IsFinalizing();
#endif
}

bool BorrowedArray::isDense() const {
  if (reinterpret_cast<uintptr_t>(data) % std::min<size_t>(elementBytes, 8) != 0)
    return false;
  int64_t expected = static_cast<int64_t>(elementBytes);
  for (size_t axis = dims.size(); axis-- > 0;) {
    if (dims[axis] == 0)
      return true;
    if (dims[axis] > 1 && byteStrides[axis] != expected)
      return false;
    expected *= dims[axis];
  }
  return true;
}

void BorrowedArray::copyTo(std::byte *dst) const { copyAxis(*this, 0, data, dst); }

std::optional<BorrowedArray> borrowBuffer(nb::handle object, bool isWritten) {
  if (!PyObject_CheckBuffer(object.ptr()))
    return std::nullopt;
  BufferView held;
  // Read-only first: its failure means that the type has no format.
  if (PyObject_GetBuffer(object.ptr(), &held.view, PyBUF_RECORDS_RO) != 0) {
    PyErr_Clear();
    return std::nullopt;
  }
  const Py_buffer &view = held.view;
  if (isWritten && view.readonly)
    throw StatusError(invalidArgument("the array is read-only"));
  if (view.itemsize <= 0)
    return std::nullopt;
  auto dtype =
      formatType(view.format ? view.format : "", static_cast<size_t>(view.itemsize));
  if (!dtype)
    return std::nullopt;
  BorrowedArray array;
  array.dtype = *dtype;
  array.dims.assign(view.shape, view.shape + view.ndim);
  array.byteStrides.assign(view.strides, view.strides + view.ndim);
  array.data = static_cast<std::byte *>(view.buf);
  array.elementBytes = static_cast<size_t>(view.itemsize);
  array.owner = holdForPython(std::move(held));
  return array;
}

namespace {

/// "cuda:1" for DLPack's device, "" for the host; throws for others.
std::string dlpackDevice(int type, int id) {
  switch (type) {
  case nb::device::cpu::value:
  case nb::device::cuda_host::value:
    return "";
  case nb::device::cuda::value:
  case nb::device::cuda_managed::value:
    return "cuda:" + std::to_string(id);
  default:
    throw StatusError(invalidArgument("the array lies on a device of DLPack's type " +
                                      std::to_string(type) +
                                      "; copy it to the host, e.g. tensor.cpu()"));
  }
}

template <typename Array> std::optional<BorrowedArray> borrowDlpackAs(nb::handle object) {
  constexpr uint64_t legacyStream = 1; // what a producer serves that is told no stream
  Array lent;
  if (!nb::try_cast(object, lent)) {
    PyErr_Clear();
    return std::nullopt;
  }
  auto dtype = dlpackType(lent.dtype());
  if (!dtype)
    return std::nullopt;
  BorrowedArray array;
  array.device = dlpackDevice(lent.device_type(), lent.device_id());
  if (!array.isOnHost())
    array.stream = legacyStream;
  array.dtype = *dtype;
  array.elementBytes = lent.itemsize();
  for (size_t axis = 0; axis < lent.ndim(); ++axis) {
    array.dims.push_back(static_cast<int64_t>(lent.shape(axis)));
    array.byteStrides.push_back(lent.stride(axis) *
                                static_cast<int64_t>(array.elementBytes));
  }
  array.data = const_cast<std::byte *>(static_cast<const std::byte *>(lent.data()));
  array.owner = holdForPython(std::move(lent));
  return array;
}

StatusError malformed(const std::string &what) {
  return StatusError(invalidArgument("__cuda_array_interface__: " + what));
}

} // namespace

std::optional<BorrowedArray> borrowDlpack(nb::handle object, bool isWritten) {
  if (!nb::hasattr(object, "__dlpack__"))
    return std::nullopt;
  return isWritten ? borrowDlpackAs<nb::ndarray<>>(object)
                   : borrowDlpackAs<nb::ndarray<nb::ro>>(object);
}

std::optional<BorrowedArray> borrowCudaArray(nb::handle object, bool isWritten) {
  if (!nb::hasattr(object, "__cuda_array_interface__"))
    return std::nullopt;
  BorrowedArray array;
  array.device = "cuda";
  nb::dict fields;
  try {
    fields = nb::cast<nb::dict>(object.attr("__cuda_array_interface__"));
    auto type = nb::cast<std::string>(fields["typestr"]);
    if (type.size() < 3)
      throw malformed("its typestr is '" + type + "'");
    if (type[0] == '>')
      throw malformed("the array is big endian");
    array.elementBytes = static_cast<size_t>(std::stoul(type.substr(2)));
    auto dtype = numberType(type[1], array.elementBytes);
    if (!dtype)
      throw malformed("no elements of type '" + type + "'");
    array.dtype = *dtype;
    for (nb::handle size : fields["shape"])
      array.dims.push_back(nb::cast<int64_t>(size));
    nb::object strides = nb::borrow(fields.get("strides", nb::none()));
    if (!strides.is_none())
      for (nb::handle stride : strides)
        array.byteStrides.push_back(nb::cast<int64_t>(stride));
    auto data = nb::cast<nb::tuple>(fields["data"]);
    array.data = reinterpret_cast<std::byte *>(nb::cast<uintptr_t>(data[0]));
    if (isWritten && nb::cast<bool>(data[1]))
      throw StatusError(invalidArgument("the array is read-only"));
    nb::object stream = nb::borrow(fields.get("stream", nb::none()));
    if (!stream.is_none())
      array.stream = nb::cast<uint64_t>(stream);
    if (!nb::borrow(fields.get("mask", nb::none())).is_none())
      throw malformed("it has a mask, which no model takes");
  } catch (const StatusError &) {
    throw;
  } catch (const std::exception &error) { // a field is missing, or of another type
    throw malformed(std::string("not as the protocol says: ") + error.what());
  }
  if (array.stream == 0)
    throw malformed("stream 0 is ambiguous; the default streams are 1 and 2");
  if (array.byteStrides.empty()) {
    array.byteStrides.resize(array.dims.size());
    auto stride = static_cast<int64_t>(array.elementBytes);
    for (size_t axis = array.dims.size(); axis-- > 0; stride *= array.dims[axis])
      array.byteStrides[axis] = stride;
  }
  if (array.byteStrides.size() != array.dims.size())
    throw malformed("it has " + std::to_string(array.dims.size()) + " sizes and " +
                    std::to_string(array.byteStrides.size()) + " strides");
  array.owner = holdForPython(nb::borrow(object));
  return array;
}

} // namespace hexin::python
