#include "python/src/Errors.h"

namespace nb = nanobind;

namespace hexin::python {
namespace {

void translate(const std::exception_ptr &pointer, void *) {
  try {
    std::rethrow_exception(pointer);
  } catch (const StatusError &error) {
    nb::object make = nb::module_::import_("hexin.errors").attr("from_status");
    const Status &status = error.status();
    // A message may quote a damaged file: bytes that are no UTF-8 are replaced.
    nb::object message = nb::steal(PyUnicode_DecodeUTF8(
        status.message().data(), static_cast<Py_ssize_t>(status.message().size()),
        "replace"));
    nb::object exception = make(static_cast<uint32_t>(status.code()), message);
    PyErr_SetObject(reinterpret_cast<PyObject *>(Py_TYPE(exception.ptr())),
                    exception.ptr());
  }
}

} // namespace

void registerErrors() { nb::register_exception_translator(translate); }

} // namespace hexin::python
