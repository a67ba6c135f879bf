//===- DeviceArray.h - a tensor on a device, for Python ------------------------===//
#ifndef HEXIN_PYTHON_DEVICEARRAY_H
#define HEXIN_PYTHON_DEVICEARRAY_H

#include "hexin/value.h"

#include <nanobind/nanobind.h>

namespace hexin::python {

/// What stands behind hexin.DeviceArray. Its memory lives as long as it, and as what
/// took it over by DLPack.
class DeviceArray {
public:
  explicit DeviceArray(Tensor tensor) : tensor_(std::move(tensor)) {}

  const Tensor &tensor() const { return tensor_; }
  nanobind::tuple shape() const;
  /// (type, ordinal) of DLPack.
  nanobind::tuple dlpackDevice() const;
  /// A capsule.
  nanobind::object dlpack() const;
  nanobind::object toNumpy() const;

private:
  Tensor tensor_;
};

} // namespace hexin::python

#endif // HEXIN_PYTHON_DEVICEARRAY_H
