#include "python/src/ValuesOut.h"

#include "python/src/DeviceArray.h"

#include "python/src/Errors.h"

#include <nanobind/ndarray.h>
#include <nanobind/stl/string.h>

namespace nb = nanobind;

namespace hexin::python {
namespace {

nb::dlpack::dtype number(nb::dlpack::dtype_code code, uint8_t bits) {
  return {static_cast<uint8_t>(code), bits, 1};
}

bool isBits(DType dtype) { return dtype == DType::bf16 || dtype >= DType::f8e4m3fn; }

nb::object decode(const std::string &text) {
  // A model may produce any bytes; they come back unchanged with surrogateescape.
  return nb::steal(PyUnicode_DecodeUTF8(text.data(), static_cast<Py_ssize_t>(text.size()),
                                        "surrogateescape"));
}

nb::object toPython(const StringTensor &strings) {
  nb::list elements;
  for (const std::string &element : strings.elements)
    elements.append(decode(element));
  nb::list dims;
  for (int64_t dim : strings.dims)
    dims.append(dim);
  return nb::module_::import_("hexin._arrays").attr("string_array")(elements, dims);
}

} // namespace

nb::dlpack::dtype arrayType(DType dtype) {
  using Code = nb::dlpack::dtype_code;
  switch (dtype) {
  case DType::boolean:
    return number(Code::Bool, 8);
  case DType::i8:
  case DType::i4:
  case DType::i2:
    return number(Code::Int, 8);
  case DType::i16:
    return number(Code::Int, 16);
  case DType::i32:
    return number(Code::Int, 32);
  case DType::i64:
    return number(Code::Int, 64);
  case DType::u16:
  case DType::bf16:
    return number(Code::UInt, 16);
  case DType::u32:
    return number(Code::UInt, 32);
  case DType::u64:
    return number(Code::UInt, 64);
  case DType::f16:
    return number(Code::Float, 16);
  case DType::f32:
    return number(Code::Float, 32);
  case DType::f64:
    return number(Code::Float, 64);
  case DType::c64:
    return number(Code::Complex, 64);
  case DType::c128:
    return number(Code::Complex, 128);
  default: // u8, and everything that is one byte of bits
    return number(Code::UInt, 8);
  }
}

nb::object toPython(const Tensor &tensor) {
  if (!tensor.isOnHost())
    return nb::module_::import_("hexin._device_array")
        .attr("DeviceArray")(nb::cast(DeviceArray(tensor)));
  auto *held = new Tensor(tensor);
  nb::capsule owner(
      held, [](void *pointer) noexcept { delete static_cast<Tensor *>(pointer); });
  std::vector<size_t> dims(tensor.dims().begin(), tensor.dims().end());
  nb::ndarray<nb::numpy> array(held->data(), dims.size(), dims.data(), owner,
                               /*strides=*/nullptr, arrayType(tensor.dtype()));
  nb::object result;
  try {
    result = nb::cast(array);
  } catch (nb::python_error &) { // sizes beside a 0 may be more than NumPy counts
    std::string sizes;
    for (int64_t dim : tensor.dims())
      sizes += (sizes.empty() ? "" : ", ") + std::to_string(dim);
    throw StatusError(Status(StatusCode::resourceExhausted,
                             "NumPy has no array of the sizes [" + sizes +
                                 "]; do without this output, or ask for smaller sizes"));
  }
  if (!isBits(tensor.dtype()))
    return result;
  nb::object fromBits = nb::module_::import_("hexin._arrays").attr("from_bits");
  return fromBits(result, std::string(toString(tensor.dtype())));
}

nb::object toPython(const Value &value) {
  if (const Tensor *tensor = value.tensor())
    return toPython(*tensor);
  if (const StringTensor *strings = value.strings())
    return toPython(*strings);
  if (const Optional *optional = value.optional())
    return optional->value ? toPython(*optional->value) : nb::none();
  if (const Sequence *sequence = value.sequence()) {
    nb::list list;
    for (const Value &element : sequence->elements)
      list.append(toPython(element));
    return list;
  }
  nb::dict dict;
  for (const auto &[key, element] : value.map()->entries) {
    const int64_t *integer = std::get_if<int64_t>(&key);
    nb::object pythonKey =
        integer ? nb::object(nb::int_(*integer)) : decode(std::get<std::string>(key));
    dict[pythonKey] = toPython(element);
  }
  return dict;
}

nb::dict toPython(const NamedValues &values) {
  nb::dict dict;
  for (const NamedValue &value : values)
    dict[nb::str(value.name.c_str(), value.name.size())] = toPython(value.value);
  return dict;
}

} // namespace hexin::python
