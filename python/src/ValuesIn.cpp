#include "python/src/ValuesIn.h"

#include "python/src/Buffers.h"
#include "python/src/Errors.h"

#include <nanobind/stl/string.h>

#include <algorithm>

namespace nb = nanobind;

namespace hexin::python {
namespace {

std::string typeName(nb::handle object) { return Py_TYPE(object.ptr())->tp_name; }

std::string name(DType dtype) { return std::string(toString(dtype)); }

/// What NumPy has no type for may come as its bits.
bool isBitsOf(DType bits, DType dtype) {
  if (dtype == DType::bf16)
    return bits == DType::u16;
  return dtype >= DType::f8e4m3fn && (bits == DType::u8 || bits == DType::i8);
}

/// Borrows `object` as it is, or as hexin._arrays makes it: ml_dtypes arrays as
/// their bits; for reading also Python numbers and lists as new arrays.
BorrowedArray borrow(nb::handle object, DType dtype, const std::string &what,
                     bool isWritten) {
  if (auto array = borrowBuffer(object, isWritten))
    return *std::move(array);
  if (auto array = borrowDlpack(object, isWritten); array)
    if (!isWritten || !array->isOnHost())
      return *std::move(array);
  if (auto array = borrowCudaArray(object, isWritten))
    return *std::move(array);
  nb::object arrays = nb::module_::import_("hexin._arrays");
  nb::object made =
      arrays.attr(isWritten ? "output_bits" : "to_array")(object, name(dtype), what);
  if (auto array = borrowBuffer(made, isWritten))
    return *std::move(array);
  throw StatusError(invalidArgument("a " + typeName(object) + " is no array of numbers"));
}

/// `borrow`, with its type checked and errors that name `what`.
BorrowedArray borrowAs(nb::handle object, DType dtype, const std::string &what,
                       bool isWritten) {
  BorrowedArray array;
  try {
    array = borrow(object, dtype, what, isWritten);
  } catch (const StatusError &error) {
    throw StatusError(error.status().withContext(what));
  }
  if (array.dtype != dtype && !isBitsOf(array.dtype, dtype))
    throw StatusError(invalidArgument(what + " takes " + name(dtype) + ", got " +
                                      name(array.dtype) +
                                      "; convert it first, as in "
                                      "array.astype(…)"));
  return array;
}

Tensor wrap(const BorrowedArray &array, DType dtype) {
  size_t byteLength = array.elementBytes;
  for (int64_t dim : array.dims)
    byteLength *= static_cast<size_t>(dim);
  if (!array.isOnHost())
    return unwrap(Tensor::wrapDevice(dtype, array.dims, array.device,
                                     reinterpret_cast<uintptr_t>(array.data), byteLength,
                                     array.owner, array.stream));
  return unwrap(Tensor::wrap(dtype, array.dims, array.data, byteLength, array.owner));
}

/// A str as UTF-8; `what` holds it.
std::string utf8(nb::handle text, const std::string &what) {
  Py_ssize_t length = 0;
  if (const char *bytes = PyUnicode_AsUTF8AndSize(text.ptr(), &length))
    return std::string(bytes, static_cast<size_t>(length));
  PyErr_Clear();
  throw StatusError(invalidArgument(
      what + ": " +
      nb::cast<std::string>(nb::module_::import_("builtins").attr("ascii")(text)) +
      " has no UTF-8 form"));
}

int64_t integerKey(nb::handle key, const std::string &what) {
  int overflows = 0;
  int64_t value = PyLong_AsLongLongAndOverflow(key.ptr(), &overflows);
  if (overflows != 0)
    throw StatusError(invalidArgument(what + ": a key does not fit 64 bits"));
  return value;
}

StringTensor stringsFromPython(nb::handle object, const std::string &what) {
  nb::object flatten = nb::module_::import_("hexin._arrays").attr("flatten_strings");
  nb::tuple parts = nb::cast<nb::tuple>(flatten(object, what));
  StringTensor strings;
  for (nb::handle dim : parts[0])
    strings.dims.push_back(nb::cast<int64_t>(dim));
  for (nb::handle element : parts[1]) {
    char *bytes = nullptr;
    Py_ssize_t length = 0;
    if (PyBytes_AsStringAndSize(element.ptr(), &bytes, &length) != 0)
      throw nb::python_error();
    strings.elements.emplace_back(bytes, static_cast<size_t>(length));
  }
  return strings;
}

Value typedFromPython(nb::handle object, const ValueType &type, const std::string &what);

Map mapFromPython(nb::handle object, const ValueType &type, const std::string &what) {
  if (!PyDict_Check(object.ptr()))
    throw StatusError(invalidArgument(what + " takes a dict, got a " + typeName(object)));
  Map map;
  size_t numIntegers = 0;
  for (auto [key, value] : nb::cast<nb::dict>(object)) {
    if (PyLong_Check(key.ptr())) {
      ++numIntegers;
      int64_t number = integerKey(key, what);
      map.entries[number] =
          typedFromPython(value, type.held[0], what + "[" + std::to_string(number) + "]");
    } else if (PyUnicode_Check(key.ptr())) {
      std::string text = utf8(key, what + ", a key");
      map.entries[text] = typedFromPython(value, type.held[0], what + "['" + text + "']");
    } else {
      throw StatusError(invalidArgument(what + ": keys are all int or all str, got a " +
                                        typeName(key)));
    }
  }
  if (numIntegers != 0 && numIntegers != map.entries.size())
    throw StatusError(invalidArgument(what + ": keys are all int or all str, got both"));
  return map;
}

Sequence sequenceFromPython(nb::handle object, const ValueType &type,
                            const std::string &what) {
  if (!PyList_Check(object.ptr()) && !PyTuple_Check(object.ptr()))
    throw StatusError(
        invalidArgument(what + " takes a list or tuple, got a " + typeName(object)));
  Sequence sequence;
  for (nb::handle element : object)
    sequence.elements.push_back(
        typedFromPython(element, type.held[0],
                        what + "[" + std::to_string(sequence.elements.size()) + "]"));
  return sequence;
}

/// Goes as deep as the declared type does.
Value typedFromPython(nb::handle object, const ValueType &type, const std::string &what) {
  switch (type.kind) {
  case ValueKind::tensor:
    return tensorFromPython(object, type.dtype, what);
  case ValueKind::strings:
    return stringsFromPython(object, what);
  case ValueKind::sequence:
    return sequenceFromPython(object, type, what);
  case ValueKind::optional:
    if (object.is_none())
      return Optional{};
    return Optional{
        std::make_shared<const Value>(typedFromPython(object, type.held[0], what))};
  case ValueKind::map:
    return mapFromPython(object, type, what);
  }
  throw StatusError(unsupported(what + " is of a kind that this version does not know"));
}

const PortInfo &findPort(const std::vector<PortInfo> &ports, const std::string &name,
                         const char *noun) {
  auto port = std::find_if(ports.begin(), ports.end(),
                           [&](const PortInfo &port) { return port.name == name; });
  if (port != ports.end())
    return *port;
  std::string known;
  for (const PortInfo &candidate : ports)
    known += (known.empty() ? "'" : ", '") + candidate.name + "'";
  throw StatusError(invalidArgument("the model has no " + std::string(noun) + " '" +
                                    name + "'; it has " +
                                    (known.empty() ? "none" : known)));
}

/// Calls `visit(name, object)` for each item of a dict or other mapping.
template <typename Visit>
void forEachItem(nb::handle mapping, const char *what, Visit visit) {
  if (!nb::hasattr(mapping, "items"))
    throw StatusError(invalidArgument(
        std::string(what) + " are a mapping {name: value}, got a " + typeName(mapping)));
  for (nb::handle item : mapping.attr("items")()) {
    nb::tuple pair = nb::cast<nb::tuple>(item);
    if (!PyUnicode_Check(nb::object(pair[0]).ptr()))
      throw StatusError(invalidArgument(std::string(what) + ": names are str"));
    visit(utf8(nb::object(pair[0]), std::string(what) + ", a name"), nb::object(pair[1]));
  }
}

} // namespace

Tensor tensorFromPython(nb::handle object, DType dtype, const std::string &what) {
  BorrowedArray array = borrowAs(object, dtype, what, /*isWritten=*/false);
  if (array.isDense())
    return wrap(array, dtype);
  if (!array.isOnHost())
    throw StatusError(invalidArgument(
        what + " must be C-contiguous and aligned on its device; make it so there, as in "
               "tensor.contiguous()"));
  Tensor tensor = unwrap(Tensor::allocate(dtype, array.dims));
  array.copyTo(static_cast<std::byte *>(tensor.data()));
  return tensor;
}

Tensor outputFromPython(nb::handle object, DType dtype, const std::string &what) {
  BorrowedArray array = borrowAs(object, dtype, what, /*isWritten=*/true);
  if (!array.isDense())
    throw StatusError(
        invalidArgument(what + " must be C-contiguous to be written in place"));
  return wrap(array, dtype);
}

Value valueFromPython(nb::handle object, const PortInfo &port) {
  return typedFromPython(object, port.type, "input '" + port.name + "'");
}

NamedValues inputsFromPython(const Model &model, nb::handle mapping) {
  NamedValues inputs;
  forEachItem(mapping, "inputs", [&](std::string name, nb::handle object) {
    const PortInfo &port = findPort(model.inputs(), name, "input");
    inputs.push_back({std::move(name), valueFromPython(object, port)});
  });
  return inputs;
}

NamedValues outputsFromPython(const Model &model, nb::handle mapping) {
  NamedValues outputs;
  forEachItem(mapping, "outputs", [&](std::string name, nb::handle object) {
    const PortInfo &port = findPort(model.outputs(), name, "output");
    std::string what = "output '" + name + "'";
    if (port.kind != ValueKind::tensor)
      throw StatusError(
          unsupported(what + " is no tensor and cannot be written in place"));
    outputs.push_back({std::move(name), outputFromPython(object, port.dtype, what)});
  });
  return outputs;
}

} // namespace hexin::python
