#include "hexin/model.h"

#include "runtime/artifact/ModelImpl.h"
#include "runtime/base/Guarded.h"
#include "runtime/base/Log.h"

namespace hexin {
namespace {

using PortTable = flatbuffers::Vector<flatbuffers::Offset<fmt::Port>>;

std::string stringOf(const flatbuffers::String *text) {
  return text ? text->str() : std::string();
}

/// The verifier has bounded how deep it is.
ValueType valueType(const fmt::TypeDef &def) {
  ValueType type;
  type.kind = static_cast<ValueKind>(def.kind());
  type.dtype = static_cast<DType>(def.dtype());
  if (def.held())
    type.held.push_back(valueType(*def.held()));
  else if (def.rank() >= 0)
    type.dims.emplace();
  if (type.dims && def.dims())
    type.dims->assign(def.dims()->begin(), def.dims()->end());
  return type;
}

PortInfo portInfo(const fmt::Port &port) {
  PortInfo info;
  info.name = port.name()->str();
  info.kind = static_cast<ValueKind>(port.kind());
  info.dtype = static_cast<DType>(port.dtype());
  if (port.dims())
    info.dims.assign(port.dims()->begin(), port.dims()->end());
  info.symbols.resize(info.dims.size());
  if (port.symbols() && port.symbols()->size() > 0)
    for (size_t axis = 0; axis < info.symbols.size(); ++axis)
      info.symbols[axis] = stringOf(port.symbols()->Get(axis));
  info.doc = stringOf(port.doc());
  info.type = port.type() ? valueType(*port.type())
                          : ValueType{info.kind, info.dtype, info.dims, {}};
  return info;
}

/// Fills what the user sees of one side of the model. `isTied`: per port,
/// whether a state owns it.
void readPorts(const PortTable *ports, const std::vector<bool> &isTied,
               std::vector<PortInfo> &infos, std::vector<uint32_t> &indices) {
  for (uint32_t i = 0; i < isTied.size(); ++i) {
    if (isTied[i])
      continue;
    infos.push_back(portInfo(*ports->Get(i)));
    indices.push_back(i);
  }
}

std::string describeOpened(const Model &model) {
  std::string targets;
  for (const std::string &target : model.targets())
    targets += (targets.empty() ? "" : ", ") + target;
  return "opened '" + model.path() + "' with programs for " +
         (targets.empty() ? "nothing" : targets);
}

} // namespace

const fmt::Program *Model::Impl::findProgram(std::string_view target) const {
  if (header().programs())
    for (const fmt::Program *program : *header().programs())
      if (program->target()->string_view() == target)
        return program;
  return nullptr;
}

Result<Model> Model::open(const std::string &path, const OpenOptions &options) {
  return guarded([&]() -> Result<Model> {
    LogTimer timer;
    HEXIN_ASSIGN_OR_RETURN(Container container,
                           Container::open(path, options.verifyHashes));
    auto impl = std::make_shared<Impl>(std::move(container));
    const fmt::Header &header = impl->header();
    impl->options = options;
    impl->path = path;
    impl->name = stringOf(header.model_name());
    impl->doc = stringOf(header.doc());

    std::vector<bool> tiedInputs(header.inputs() ? header.inputs()->size() : 0);
    std::vector<bool> tiedOutputs(header.outputs() ? header.outputs()->size() : 0);
    if (header.states()) {
      for (const fmt::State *state : *header.states()) {
        tiedInputs[state->input()] = true;
        tiedOutputs[state->output()] = true;
        StateInfo info;
        info.name = state->name()->str();
        info.dtype = static_cast<DType>(state->dtype());
        if (state->dims())
          info.dims.assign(state->dims()->begin(), state->dims()->end());
        impl->states.push_back(std::move(info));
      }
    }
    readPorts(header.inputs(), tiedInputs, impl->inputs, impl->inputPorts);
    readPorts(header.outputs(), tiedOutputs, impl->outputs, impl->outputPorts);
    if (header.metadata())
      for (const fmt::KeyValue *entry : *header.metadata())
        impl->metadata.emplace(entry->key()->str(), stringOf(entry->value()));
    Model model(std::move(impl));
    if (isLogged(LogLevel::info))
      log(LogLevel::info, describeOpened(model) + ", " + timer.elapsed());
    return model;
  });
}

const std::string &Model::path() const { return impl_->path; }
const std::string &Model::name() const { return impl_->name; }
const std::string &Model::doc() const { return impl_->doc; }
const std::vector<PortInfo> &Model::inputs() const { return impl_->inputs; }
const std::vector<PortInfo> &Model::outputs() const { return impl_->outputs; }
const std::vector<StateInfo> &Model::states() const { return impl_->states; }
const std::map<std::string, std::string> &Model::metadata() const {
  return impl_->metadata;
}

std::vector<std::string> Model::targets() const {
  std::vector<std::string> names;
  if (impl_->header().programs())
    for (const fmt::Program *program : *impl_->header().programs())
      names.push_back(program->target()->str());
  return names;
}

} // namespace hexin
