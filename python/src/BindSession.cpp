#include "hexin/session.h"
#include "python/src/Bindings.h"
#include "python/src/Errors.h"
#include "python/src/PythonOwner.h"
#include "python/src/ValuesIn.h"
#include "python/src/ValuesOut.h"

#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <optional>

namespace nb = nanobind;

namespace hexin::python {
namespace {

/// A run in flight, with the inputs it reads.
class PyRun {
public:
  PyRun(Run run, NamedValues inputs) : run_(std::move(run)), inputs_(std::move(inputs)) {}
  PyRun(PyRun &&) = default;
  ~PyRun() {
    if (run_)
      destroyWithoutGil(run_);
  }

  nb::dict wait() {
    auto finish = [&] {
      nb::gil_scoped_release release;
      return run_->wait();
    };
    Result<NamedValues> outputs = finish();
    inputs_.clear();
    return toPython(unwrap(std::move(outputs)));
  }

private:
  std::optional<Run> run_;
  NamedValues inputs_;
};

class PySession {
public:
  explicit PySession(Session session) : session_(std::move(session)) {}
  PySession(PySession &&) = default;
  ~PySession() {
    if (session_)
      destroyWithoutGil(session_);
  }

  Session &get() { return *session_; }

  nb::dict run(nb::handle inputs, std::vector<std::string> onDevice) {
    NamedValues values = inputsFromPython(get().model(), inputs);
    RunOptions options;
    options.onDevice = std::move(onDevice);
    auto work = [&] {
      nb::gil_scoped_release release;
      return get().run(values, options);
    };
    return toPython(unwrap(work()));
  }

  void runInto(nb::handle inputs, nb::handle outputs) {
    NamedValues values = inputsFromPython(get().model(), inputs);
    NamedValues results = outputsFromPython(get().model(), outputs);
    nb::gil_scoped_release release;
    check(get().run(values, results));
  }

  PyRun submit(nb::handle inputs) {
    NamedValues values = inputsFromPython(get().model(), inputs);
    auto work = [&] {
      nb::gil_scoped_release release;
      return get().submit(values);
    };
    return PyRun(unwrap(work()), std::move(values));
  }

  void prepare(const std::vector<std::vector<int64_t>> &dims) {
    nb::gil_scoped_release release;
    check(get().prepare(dims));
  }

  nb::object getState(const std::string &name) {
    auto work = [&] {
      nb::gil_scoped_release release;
      return get().getState(name);
    };
    return toPython(unwrap(work()));
  }

  void setState(const std::string &name, nb::handle value) {
    const auto &states = get().model().states();
    auto state = std::find_if(states.begin(), states.end(),
                              [&](const StateInfo &info) { return info.name == name; });
    if (state == states.end())
      throw StatusError(notFound("the model has no state '" + name + "'"));
    Tensor tensor = tensorFromPython(value, state->dtype, "state '" + name + "'");
    nb::gil_scoped_release release;
    check(get().setState(name, tensor));
  }

  void resetState() {
    nb::gil_scoped_release release;
    check(get().resetState());
  }

  nb::bytes exportState() {
    auto work = [&] {
      nb::gil_scoped_release release;
      return get().exportState();
    };
    std::vector<std::byte> blob = unwrap(work());
    return nb::bytes(blob.data(), blob.size());
  }

  void importState(nb::bytes blob) {
    std::span<const std::byte> bytes(static_cast<const std::byte *>(blob.data()),
                                     blob.size());
    nb::gil_scoped_release release;
    check(get().importState(bytes));
  }

  /// In the order of hexin.SessionStats' fields.
  nb::tuple stats() {
    SessionStats stats = get().stats();
    return nb::make_tuple(stats.runs, stats.plans, stats.commandsPrepared,
                          stats.commandsReused, stats.kernelsCompiled,
                          stats.weightsReordered, stats.arenaBytes, stats.transfers);
  }

private:
  std::optional<Session> session_;
};

PySession createSession(const Model &model, std::string device, uint32_t threads,
                        bool pinThreads, bool profile, std::string maxIsa,
                        std::string cacheDir, std::vector<std::string> dump,
                        uint64_t seed) {
  nb::gil_scoped_release release;
  SessionOptions options;
  options.device = std::move(device);
  options.threads = threads;
  options.pinThreads = pinThreads;
  options.profile = profile;
  options.maxIsa = std::move(maxIsa);
  options.cacheDir = std::move(cacheDir);
  options.dump = std::move(dump);
  options.seed = seed;
  return PySession(unwrap(Session::create(model, options)));
}

} // namespace

void bindSession(nb::module_ &module) {
  nb::class_<PyRun>(module, "Run").def("wait", &PyRun::wait);
  nb::class_<PySession>(module, "Session")
      .def_prop_ro("device", [](PySession &session) { return session.get().device(); })
      .def("run", &PySession::run, nb::arg("inputs").none(), nb::arg("on_device"))
      .def("run_into", &PySession::runInto, nb::arg("inputs").none(),
           nb::arg("outputs").none())
      .def("submit", &PySession::submit, nb::arg("inputs").none())
      .def("prepare", &PySession::prepare, nb::arg("dims"))
      .def("get_state", &PySession::getState, nb::arg("name"))
      .def("set_state", &PySession::setState, nb::arg("name"), nb::arg("value").none())
      .def("reset_state", &PySession::resetState)
      .def("export_state", &PySession::exportState)
      .def("import_state", &PySession::importState, nb::arg("blob"))
      .def("stats", &PySession::stats)
      .def("dumped",
           [](PySession &session) { return toPython(unwrap(session.get().dumped())); })
      .def("trace", [](PySession &session) { return unwrap(session.get().trace()); });
  module.def("create_session", &createSession, nb::arg("model"), nb::arg("device"),
             nb::arg("threads"), nb::arg("pin_threads"), nb::arg("profile"),
             nb::arg("max_isa"), nb::arg("cache_dir"), nb::arg("dump"), nb::arg("seed"));
}

} // namespace hexin::python
