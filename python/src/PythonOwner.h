//===- PythonOwner.h - Python objects held by C++ ------------------------------===//
#ifndef HEXIN_PYTHON_PYTHONOWNER_H
#define HEXIN_PYTHON_PYTHONOWNER_H

#include <nanobind/nanobind.h>

#include <memory>

namespace hexin::python {

/// False once the interpreter shuts down: no Python object may be touched then,
/// and what is still held is left to the end of the process.
bool isInterpreterAlive();

/// Keeps `held` (which releases Python references when destroyed) alive until the
/// last copy of the result is gone, on whatever thread that happens.
template <typename T> std::shared_ptr<T> holdForPython(T held) {
  return std::shared_ptr<T>(new T(std::move(held)), [](T *pointer) {
    if (!isInterpreterAlive())
      return;
    nanobind::gil_scoped_acquire gil;
    delete pointer;
  });
}

/// Destroys `object` without the GIL: its destructor may wait for work whose
/// threads need the GIL to let go of their inputs.
template <typename T> void destroyWithoutGil(T &object) {
  if (!isInterpreterAlive()) {
    object.reset();
    return;
  }
  nanobind::gil_scoped_release gil;
  object.reset();
}

} // namespace hexin::python

#endif // HEXIN_PYTHON_PYTHONOWNER_H
