#include "hexin/compile.h"
#include "python/src/Bindings.h"
#include "python/src/Errors.h"
#include "python/src/PythonOwner.h"

#include <nanobind/stl/map.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

namespace nb = nanobind;

namespace hexin::python {
namespace {

/// Calls a Python function from the compiler's threads. What it raises is
/// reported like an exception in __del__ and does not stop the compiler.
std::function<void(const std::string &, double)> progressFor(nb::object callable) {
  if (callable.is_none())
    return nullptr;
  auto held = holdForPython(std::move(callable));
  return [held](const std::string &phase, double fraction) {
    nb::gil_scoped_acquire gil;
    try {
      (*held)(phase, fraction);
    } catch (nb::python_error &error) {
      error.discard_as_unraisable("hexin progress callback");
    }
  };
}

/// {input: [size or name, ...]}
std::map<std::string, std::vector<DimSpec>> shapesFrom(nb::handle dict) {
  std::map<std::string, std::vector<DimSpec>> shapes;
  for (auto [name, dims] : nb::cast<nb::dict>(dict)) {
    std::vector<DimSpec> &specs = shapes[nb::cast<std::string>(name)];
    for (nb::handle dim : nb::cast<nb::list>(dims)) {
      if (nb::isinstance<nb::str>(dim))
        specs.emplace_back(nb::cast<std::string>(dim));
      else
        specs.emplace_back(nb::cast<int64_t>(dim));
    }
  }
  return shapes;
}

/// The dictionary's keys are those of hexin.compiler._options.
CompileOptions optionsFrom(const nb::dict &dict) {
  auto get = [&]<typename T>(const char *key, T &field) {
    field = nb::cast<T>(dict[key]);
  };
  CompileOptions options;
  get("targets", options.targets);
  options.shapes = shapesFrom(dict["shapes"]);
  get("states", options.states);
  get("allow_fallback", options.allowFallback);
  get("disable", options.disable);
  get("prefer", options.prefer);
  get("cpu_archs", options.cpuArchs);
  get("prepack", options.prepack);
  get("precision", options.precision);
  get("max_error", options.maxError);
  get("emit", options.emit);
  get("explain", options.explain);
  get("verify_each", options.verifyEach);
  get("threads", options.threads);
  get("cache_dir", options.cacheDir);
  options.progress = progressFor(dict["progress"]);
  return options;
}

/// In the order of hexin.CompileReport's fields. `call` runs without the GIL.
template <typename Call> nb::tuple report(Call call) {
  auto work = [&] {
    nb::gil_scoped_release release;
    return call();
  };
  CompileReport report = unwrap(work());
  nb::object text = nb::steal(PyUnicode_DecodeUTF8(
      report.text.data(), static_cast<Py_ssize_t>(report.text.size()), "replace"));
  return nb::make_tuple(text, report.artifactBytes, report.kernels, report.kernelsReused,
                        report.seconds, report.error);
}

nb::tuple compilePath(const std::string &model, const std::string &out, nb::dict dict) {
  CompileOptions options = optionsFrom(dict);
  return report([&] { return compile(model, out, options); });
}

nb::tuple compileBytes(nb::bytes model, const std::string &out, nb::dict dict) {
  CompileOptions options = optionsFrom(dict);
  std::span<const std::byte> bytes(static_cast<const std::byte *>(model.data()),
                                   model.size());
  return report([&] { return compile(bytes, out, options); });
}

nb::tuple retargetPath(const std::string &artifact, const std::string &out,
                       nb::dict dict) {
  CompileOptions options = optionsFrom(dict);
  return report([&] { return retarget(artifact, out, options); });
}

} // namespace

void bindCompile(nb::module_ &module) {
  module.def("compile_path", &compilePath, nb::arg("model"), nb::arg("out"),
             nb::arg("options"));
  module.def("compile_bytes", &compileBytes, nb::arg("model"), nb::arg("out"),
             nb::arg("options"));
  module.def("retarget", &retargetPath, nb::arg("artifact"), nb::arg("out"),
             nb::arg("options"));
}

} // namespace hexin::python
