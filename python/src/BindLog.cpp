#include "hexin/log.h"
#include "python/src/Bindings.h"
#include "python/src/Errors.h"
#include "python/src/PythonOwner.h"

#include <nanobind/stl/string.h>
#include <nanobind/stl/string_view.h>

#include <optional>

namespace nb = nanobind;

namespace hexin::python {
namespace {

void setLevel(const std::string &name) {
  std::optional<LogLevel> level = parseLogLevel(name);
  if (!level)
    check(invalidArgument("the log level '" + name +
                          "' is not off, error, warning, info or debug"));
  setLogLevel(*level);
}

/// What the callable raises is reported like an exception in __del__: a message
/// never makes the work fail that it tells of.
void setSink(nb::object callable) {
  LogSink sink;
  if (!callable.is_none()) {
    auto held = holdForPython(std::move(callable));
    sink = [held](LogLevel level, std::string_view message) {
      if (!isInterpreterAlive())
        return;
      nb::gil_scoped_acquire gil;
      try {
        nb::object text = nb::steal(PyUnicode_DecodeUTF8(
            message.data(), static_cast<Py_ssize_t>(message.size()), "replace"));
        (*held)(toString(level), text);
      } catch (nb::python_error &error) {
        error.discard_as_unraisable("hexin log sink");
      }
    };
  }
  // The sink before may be at work in a thread that waits for the GIL.
  nb::gil_scoped_release release;
  setLogSink(std::move(sink));
}

} // namespace

void bindLog(nb::module_ &module) {
  module.def("set_log_level", &setLevel, nb::arg("level"));
  module.def("log_level", [] { return std::string(toString(logLevel())); });
  module.def("set_log_sink", &setSink, nb::arg("sink").none());
}

} // namespace hexin::python
