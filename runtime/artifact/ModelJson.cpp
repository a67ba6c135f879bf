#include "runtime/artifact/DerivedWeights.h"
#include "runtime/artifact/Format.h"
#include "runtime/artifact/ModelImpl.h"
#include "runtime/base/Compression.h"

#include <nlohmann/json.hpp>

#include <set>

namespace hexin {
namespace {

using fmt::sizeOf;
using nlohmann::ordered_json;

ordered_json text(const flatbuffers::String *string) {
  return string ? string->str() : std::string();
}

ordered_json describePorts(const std::vector<PortInfo> &ports) {
  static constexpr const char *kinds[] = {"tensor", "strings", "sequence", "optional",
                                          "map"};
  auto list = ordered_json::array();
  for (const PortInfo &port : ports) {
    auto dims = ordered_json::array();
    for (size_t axis = 0; axis < port.dims.size(); ++axis)
      if (port.dims[axis] < 0 && !port.symbols[axis].empty())
        dims.push_back(port.symbols[axis]);
      else
        dims.push_back(port.dims[axis]);
    list.push_back({{"name", port.name},
                    {"kind", kinds[static_cast<size_t>(port.kind)]},
                    {"dtype", toString(port.dtype)},
                    {"dims", std::move(dims)}});
    if (!port.type.held.empty())
      list.back()["type"] = toString(port.type);
    if (!port.doc.empty())
      list.back()["doc"] = port.doc;
  }
  return list;
}

ordered_json describeVariant(const fmt::Program &program, const fmt::Variant &variant) {
  ordered_json json;
  json["engine"] = fmt::EnumNameEngine(variant.engine());
  json["name"] = variant.engine() == fmt::Engine::kernel
                     ? text(program.kernels()->Get(variant.kernel())->name())
                     : text(variant.name());
  if (variant.guard() >= 0)
    json["guarded"] = true;
  if (variant.engine() == fmt::Engine::kernel) {
    const fmt::Kernel *kernel = program.kernels()->Get(variant.kernel());
    if (kernel->team_threads() > 0)
      json["team"] = {{"schedule", text(variant.name())},
                      {"threads", kernel->team_threads()},
                      {"localBytes", kernel->local_bytes()}};
  }
  if (variant.engine() == fmt::Engine::library) {
    json["order"] = fmt::EnumNameOrderClass(variant.order());
    json["errorConstant"] = variant.error_constant();
  }
  return json;
}

/// With `contentBytes` when it is compressed, as far as its frame can be read.
ordered_json describeSection(const Container &container, uint32_t index) {
  const fmt::Section &section = *container.header().sections()->Get(index);
  ordered_json json = {{"kind", fmt::EnumNameSectionKind(section.kind())},
                       {"offset", section.offset()},
                       {"bytes", section.length()}};
  if (section.compression() == fmt::Compression::none)
    return json;
  json["compression"] = fmt::EnumNameCompression(section.compression());
  if (auto contents = frameContents(container.section(index)))
    json["contentBytes"] = *contents;
  return json;
}

bool isTransfer(const fmt::Instruction &instruction) {
  return instruction.kind() == fmt::InstructionKind::to_host ||
         instruction.kind() == fmt::InstructionKind::to_device;
}

ordered_json describeInstruction(const fmt::Program &program,
                                 const fmt::Instruction &instruction) {
  ordered_json json;
  json["kind"] = fmt::EnumNameInstructionKind(instruction.kind());
  if (isTransfer(instruction)) {
    const fmt::ValueDef *value = program.values()->Get(instruction.value());
    json["value"] = instruction.value();
    if (sizeOf(value->name()) > 0)
      json["valueName"] = text(value->name());
  }
  if (!isTransfer(instruction) && instruction.kind() != fmt::InstructionKind::run)
    json["loop"] = instruction.value();
  if (sizeOf(instruction.op()) > 0)
    json["op"] = text(instruction.op());
  if (sizeOf(instruction.node()) > 0)
    json["node"] = text(instruction.node());
  if (sizeOf(instruction.reason()) > 0)
    json["reason"] = text(instruction.reason());
  if (instruction.predicate() >= 0)
    json["predicated"] = true;
  if (sizeOf(instruction.variants()) > 0) {
    auto &variants = json["variants"] = ordered_json::array();
    for (const fmt::Variant *variant : *instruction.variants())
      variants.push_back(describeVariant(program, *variant));
  }
  return json;
}

/// Weights in panels that library variants bind: a library keeps them in a form of its
/// own beside.
size_t countLibraryWeights(const fmt::Header &header, const fmt::Program &program) {
  std::set<int32_t> weights;
  for (uint32_t i = 0; i < sizeOf(program.instructions()); ++i) {
    const auto *variants = program.instructions()->Get(i)->variants();
    for (uint32_t v = 0; v < sizeOf(variants); ++v) {
      const fmt::Variant *variant = variants->Get(v);
      if (variant->engine() != fmt::Engine::library || !variant->bindings())
        continue;
      for (const fmt::Binding *binding : *variant->bindings()) {
        if (binding->value() == fmt::absentOperand)
          continue;
        const fmt::ValueDef *value = program.values()->Get(binding->value());
        if (value->kind() == fmt::ValueKind::weight &&
            header.weights()->Get(value->index())->encoding() == fmt::Encoding::panels)
          weights.insert(value->index());
      }
    }
  }
  return weights.size();
}

ordered_json describeProgram(const fmt::Header &header, const fmt::Program &program) {
  ordered_json json;
  json["target"] = text(program.target());
  json["kernelAbi"] = program.kernel_abi();
  json["requiredFeatures"] = program.required_features();
  auto &images = json["images"] = ordered_json::array();
  if (program.images())
    for (const fmt::Image *image : *program.images())
      images.push_back({{"arch", text(image->arch())},
                        {"section", image->section()},
                        {"bytes", header.sections()->Get(image->section())->length()}});
  json["expressions"] = sizeOf(program.exprs());
  json["constraints"] = sizeOf(program.constraints());
  json["values"] = sizeOf(program.values());
  auto &kernels = json["kernels"] = ordered_json::array();
  if (program.kernels())
    for (const fmt::Kernel *kernel : *program.kernels())
      kernels.push_back({{"name", text(kernel->name())},
                         {"bindings", kernel->binding_count()},
                         {"params", kernel->param_count()},
                         {"order", fmt::EnumNameOrderClass(kernel->order())},
                         {"errorConstant", kernel->error_constant()}});
  uint64_t transfers = 0, onHost = 0;
  auto instructions = ordered_json::array();
  if (program.instructions())
    for (const fmt::Instruction *instruction : *program.instructions()) {
      transfers += isTransfer(*instruction);
      onHost += sizeOf(instruction->variants()) > 0 &&
                instruction->variants()->Get(0)->engine() == fmt::Engine::host;
      instructions.push_back(describeInstruction(program, *instruction));
    }
  json["transfers"] = transfers;
  json["hostInstructions"] = onHost;
  json["libraryWeights"] = countLibraryWeights(header, program);
  auto &fallbacks = json["fallbacks"] = ordered_json::array();
  if (program.fallbacks())
    for (const flatbuffers::String *fallback : *program.fallbacks())
      fallbacks.push_back(text(fallback));
  json["instructions"] = std::move(instructions);
  return json;
}

} // namespace

std::string Model::describeJson() const {
  const fmt::Header &header = impl_->header();
  ordered_json json;
  json["path"] = path();
  json["name"] = name();
  json["doc"] = doc();
  json["producer"] = text(header.producer());
  json["container"] =
      std::to_string(containerMajor) + "." + std::to_string(containerMinor);
  json["formatMinor"] = header.format_minor();
  json["requiredFeatures"] = header.required_features();
  json["portableVersion"] = header.portable_version();
  json["fileBytes"] = impl_->container.bytes().size();
  json["metadata"] = metadata();
  json["inputs"] = describePorts(inputs());
  json["outputs"] = describePorts(outputs());
  auto &states = json["states"] = ordered_json::array();
  for (const StateInfo &state : this->states())
    states.push_back(
        {{"name", state.name}, {"dtype", toString(state.dtype)}, {"dims", state.dims}});
  auto &sections = json["sections"] = ordered_json::array();
  if (header.sections())
    for (uint32_t i = 0; i < header.sections()->size(); ++i)
      sections.push_back(describeSection(impl_->container, i));
  uint64_t derived = 0, derivedBytes = 0;
  for (uint32_t i = 0; i < sizeOf(header.weights()); ++i)
    if (const fmt::Weight *weight = header.weights()->Get(i); isDerived(*weight)) {
      ++derived;
      derivedBytes += weight->length();
    }
  json["weights"] = {{"count", sizeOf(header.weights())},
                     {"bytes", impl_->container.weights().size()},
                     {"derived", derived},
                     {"derivedBytes", derivedBytes}};
  auto &programs = json["programs"] = ordered_json::array();
  if (header.programs())
    for (const fmt::Program *program : *header.programs())
      programs.push_back(describeProgram(header, *program));
  // Names come from the file: bytes that are no UTF-8 are replaced, not thrown at.
  return json.dump(2, ' ', false, ordered_json::error_handler_t::replace);
}

} // namespace hexin
