//===- Bindings.h - the parts of hexin._core -----------------------------------===//
//
// hexin._core is private: the package's Python files give it names, defaults and
// docstrings. Each function adds one part to the module.
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_PYTHON_BINDINGS_H
#define HEXIN_PYTHON_BINDINGS_H

#include <nanobind/nanobind.h>

namespace hexin::python {

void bindModel(nanobind::module_ &module);
void bindSession(nanobind::module_ &module);
void bindCompile(nanobind::module_ &module);
void bindDeviceArray(nanobind::module_ &module);
void bindLog(nanobind::module_ &module);

} // namespace hexin::python

#endif // HEXIN_PYTHON_BINDINGS_H
