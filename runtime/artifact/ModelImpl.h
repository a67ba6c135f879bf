//===- ModelImpl.h - what stands behind hexin::Model ----------------------------===//
//
// Immutable after Model::open. Everything points into the container's mapping,
// so whoever keeps the Impl keeps the file mapped.
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_RUNTIME_ARTIFACT_MODELIMPL_H
#define HEXIN_RUNTIME_ARTIFACT_MODELIMPL_H

#include "runtime/artifact/Container.h"
#include "runtime/artifact/hexin_generated.h"

#include "hexin/model.h"

#include <string_view>

namespace hexin {

struct Model::Impl {
  explicit Impl(Container opened) : container(std::move(opened)) {}

  const fmt::Header &header() const { return container.header(); }
  /// The program for `target`, or null.
  const fmt::Program *findProgram(std::string_view target) const;

  Container container;
  OpenOptions options;
  std::string path;
  std::string name;
  std::string doc;
  // What the user sees: state's inputs and outputs are left out.
  std::vector<PortInfo> inputs;
  std::vector<PortInfo> outputs;
  std::vector<uint32_t> inputPorts;  // per entry of `inputs`: its index in the header
  std::vector<uint32_t> outputPorts; // the same for `outputs`
  std::vector<StateInfo> states;
  std::map<std::string, std::string> metadata;
};

} // namespace hexin

#endif // HEXIN_RUNTIME_ARTIFACT_MODELIMPL_H
