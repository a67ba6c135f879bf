#include "python/src/DeviceArray.h"

#include "hexin/device.h"
#include "python/src/Bindings.h"
#include "python/src/Buffers.h"
#include "python/src/Errors.h"
#include "python/src/ValuesIn.h"
#include "python/src/ValuesOut.h"

#include <nanobind/ndarray.h>
#include <nanobind/stl/string.h>

#include <cstdlib>

namespace nb = nanobind;

namespace hexin::python {
namespace {

/// DLPack's type of the devices that share addresses.
int deviceType(const std::string &device) {
  if (device.starts_with("cuda"))
    return nb::device::cuda::value;
  throw StatusError(unsupported("DLPack has no type for memory of '" + device + "'"));
}

int ordinal(const std::string &device) {
  size_t colon = device.find(':');
  return colon == device.npos ? 0 : std::atoi(device.c_str() + colon + 1);
}

nb::dlpack::dtype dlpackType(DType dtype) {
  return dtype == DType::bf16
             ? nb::dlpack::dtype{static_cast<uint8_t>(nb::dlpack::dtype_code::Bfloat), 16,
                                 1}
             : arrayType(dtype);
}

DType dtypeNamed(const std::string &name) {
  for (int i = 0; i <= static_cast<int>(DType::f4e2m1); ++i)
    if (auto dtype = static_cast<DType>(i);
        dtype != DType::string && toString(dtype) == name)
      return dtype;
  throw StatusError(invalidArgument("there are no arrays of " + name + " on devices"));
}

/// A copy of `array` (NumPy, DLPack, a DeviceArray, ...) on `device`.
nb::object toDevice(nb::handle array, const std::string &dtype,
                    const std::string &device) {
  Tensor tensor = tensorFromPython(array, dtypeNamed(dtype), "the array");
  auto copy = [&] {
    nb::gil_scoped_release release;
    return copyTo(tensor, device);
  };
  return toPython(unwrap(copy()));
}

} // namespace

nb::tuple DeviceArray::shape() const {
  nb::list sizes;
  for (int64_t size : tensor_.dims())
    sizes.append(size);
  return nb::tuple(sizes);
}

nb::tuple DeviceArray::dlpackDevice() const {
  return nb::make_tuple(deviceType(tensor_.device()), ordinal(tensor_.device()));
}

nb::object DeviceArray::dlpack() const {
  auto *held = new Tensor(tensor_);
  nb::capsule owner(
      held, [](void *pointer) noexcept { delete static_cast<Tensor *>(pointer); });
  std::vector<size_t> dims(tensor_.dims().begin(), tensor_.dims().end());
  nb::ndarray<> array(reinterpret_cast<void *>(tensor_.deviceAddress()), dims.size(),
                      dims.data(), owner, /*strides=*/nullptr,
                      dlpackType(tensor_.dtype()), deviceType(tensor_.device()),
                      ordinal(tensor_.device()));
  nb::object made = nb::cast(array);
  return nb::hasattr(made, "__dlpack__") ? made.attr("__dlpack__")() : made;
}

nb::object DeviceArray::toNumpy() const {
  auto copy = [&] {
    nb::gil_scoped_release release;
    return copyTo(tensor_, "");
  };
  return toPython(unwrap(copy()));
}

void bindDeviceArray(nb::module_ &module) {
  nb::class_<DeviceArray>(module, "DeviceArray")
      .def_prop_ro("shape", &DeviceArray::shape)
      .def_prop_ro("dtype",
                   [](const DeviceArray &array) {
                     return std::string(toString(array.tensor().dtype()));
                   })
      .def_prop_ro("device",
                   [](const DeviceArray &array) { return array.tensor().device(); })
      .def_prop_ro(
          "address",
          [](const DeviceArray &array) { return array.tensor().deviceAddress(); })
      .def("dlpack_device", &DeviceArray::dlpackDevice)
      .def("dlpack", &DeviceArray::dlpack)
      .def("numpy", &DeviceArray::toNumpy);
  module.def("to_device", &toDevice, nb::arg("array"), nb::arg("dtype"),
             nb::arg("device"));
}

} // namespace hexin::python
