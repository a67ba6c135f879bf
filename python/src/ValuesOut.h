//===- ValuesOut.h - from values to Python objects -----------------------------===//
//
// Tensors on a device become hexin.DeviceArray objects. Others become NumPy arrays over
// the same memory, which lives as long as the array. bf16 and the 8-bit floats are arrays
// of ml_dtypes where that package is installed, else of their bits (uint16, uint8).
// String tensors are object arrays of str, sequences lists, absent optionals None, maps
// dicts.
//
// All functions need the GIL.
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_PYTHON_VALUESOUT_H
#define HEXIN_PYTHON_VALUESOUT_H

#include "hexin/session.h"

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

namespace hexin::python {

/// How an array of `dtype` looks to NumPy; bits for what NumPy lacks.
nanobind::dlpack::dtype arrayType(DType dtype);

nanobind::object toPython(const Tensor &tensor);
nanobind::object toPython(const Value &value);
nanobind::dict toPython(const NamedValues &values);

} // namespace hexin::python

#endif // HEXIN_PYTHON_VALUESOUT_H
