//===- ValuesIn.h - from Python objects to values ------------------------------===//
//
// Anything with the buffer protocol (NumPy arrays, memoryview, bytes,
// array.array) or DLPack (PyTorch, JAX) on the host is borrowed without a copy
// when it is C-contiguous and aligned; it is kept alive with the Tensor. Other
// layouts, Python numbers and nested lists are copied. Element types are never
// converted, except for Python numbers and lists, which have none.
//
// All functions need the GIL and throw StatusError.
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_PYTHON_VALUESIN_H
#define HEXIN_PYTHON_VALUESIN_H

#include "hexin/model.h"
#include "hexin/session.h"

#include <nanobind/nanobind.h>

namespace hexin::python {

/// `object` as a tensor of `dtype`. `what` names it in errors: "input 'x'".
Tensor tensorFromPython(nanobind::handle object, DType dtype, const std::string &what);

/// As above, borrowed for writing: no copy is ever made.
Tensor outputFromPython(nanobind::handle object, DType dtype, const std::string &what);

/// A value of the kind and type that `port` declares.
Value valueFromPython(nanobind::handle object, const PortInfo &port);

/// {name: object} for the model's inputs; an unknown name is an error, a missing
/// one is left to the session.
NamedValues inputsFromPython(const Model &model, nanobind::handle mapping);

/// {name: array} for tensors that the session writes.
NamedValues outputsFromPython(const Model &model, nanobind::handle mapping);

} // namespace hexin::python

#endif // HEXIN_PYTHON_VALUESIN_H
