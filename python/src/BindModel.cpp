#include "hexin/model.h"
#include "python/src/Bindings.h"
#include "python/src/Errors.h"

#include <nanobind/stl/map.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

namespace nb = nanobind;

namespace hexin::python {
namespace {

constexpr const char *kindNames[] = {"tensor", "strings", "sequence", "optional", "map"};

std::string dtypeName(DType dtype) { return std::string(toString(dtype)); }

/// Sizes as int, named symbols as str, nameless ones as None.
nb::tuple shapeOf(const std::vector<int64_t> &dims,
                  const std::vector<std::string> &symbols) {
  nb::list shape;
  for (size_t axis = 0; axis < dims.size(); ++axis) {
    if (dims[axis] >= 0)
      shape.append(dims[axis]);
    else if (axis < symbols.size() && !symbols[axis].empty())
      shape.append(symbols[axis]);
    else
      shape.append(nb::none());
  }
  return nb::tuple(shape);
}

/// Tuples in the order of hexin.Port's fields.
nb::list describePorts(const std::vector<PortInfo> &ports) {
  nb::list list;
  for (const PortInfo &port : ports)
    list.append(nb::make_tuple(port.name, kindNames[static_cast<size_t>(port.kind)],
                               dtypeName(port.dtype), shapeOf(port.dims, port.symbols),
                               port.doc));
  return list;
}

Model openModel(const std::string &path, bool allowNative, bool verifyHashes) {
  nb::gil_scoped_release release;
  OpenOptions options;
  options.trust = allowNative ? TrustPolicy::native : TrustPolicy::noNative;
  options.verifyHashes = verifyHashes;
  return unwrap(Model::open(path, options));
}

} // namespace

void bindModel(nb::module_ &module) {
  nb::class_<Model>(module, "Model")
      .def_prop_ro("path", &Model::path)
      .def_prop_ro("name", &Model::name)
      .def_prop_ro("doc", &Model::doc)
      .def_prop_ro("metadata", &Model::metadata)
      .def_prop_ro("targets", &Model::targets)
      .def_prop_ro("inputs",
                   [](const Model &model) { return describePorts(model.inputs()); })
      .def_prop_ro("outputs",
                   [](const Model &model) { return describePorts(model.outputs()); })
      .def_prop_ro("states",
                   [](const Model &model) {
                     nb::list list;
                     for (const StateInfo &state : model.states())
                       list.append(nb::make_tuple(state.name, dtypeName(state.dtype),
                                                  shapeOf(state.dims, {})));
                     return list;
                   })
      .def("describe_json", &Model::describeJson);
  module.def("open_model", &openModel, nb::arg("path"), nb::arg("allow_native"),
             nb::arg("verify_hashes"));
}

} // namespace hexin::python
