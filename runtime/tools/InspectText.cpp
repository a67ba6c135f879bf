#include "runtime/tools/InspectText.h"

#include "runtime/tools/Arguments.h"

#include <nlohmann/json.hpp>

#include <map>

namespace hexin::cli {
namespace {

using nlohmann::json;

/// One line, at most 72 bytes of it; never cut inside a UTF-8 sequence.
std::string shorten(const std::string &text) {
  constexpr size_t maxLength = 72;
  size_t length = std::min(text.find('\n'), text.size());
  bool isCut = length < text.size() || length > maxLength;
  length = std::min(length, maxLength);
  while (length > 0 && length < text.size() && (text[length] & 0xC0) == 0x80)
    --length;
  return text.substr(0, length) +
         (isCut ? " … (" + formatBytes(text.size()) + ")" : std::string());
}

std::string portLines(const char *title, const std::vector<PortInfo> &ports) {
  constexpr const char *kinds[] = {"", "strings ", "sequence of ", "optional ",
                                   "map of "};
  std::string text;
  for (const PortInfo &port : ports) {
    text += std::string(title) + "  " + port.name + "  " +
            kinds[static_cast<size_t>(port.kind)] + std::string(toString(port.dtype)) +
            " " + formatDims(port.dims, port.symbols);
    if (!port.doc.empty())
      text += "  # " + shorten(port.doc);
    text += "\n";
  }
  return text;
}

const json &member(const json &object, const char *key) {
  static const json none = json::array();
  auto found = object.is_object() ? object.find(key) : object.end();
  return object.is_object() && found != object.end() ? *found : none;
}

std::string textOf(const json &object, const char *key) {
  const json &value = member(object, key);
  return value.is_string()   ? value.get<std::string>()
         : value.is_number() ? value.dump()
                             : std::string();
}

std::string sectionLines(const json &description) {
  std::string text;
  for (const json &section : member(description, "sections")) {
    const json &bytes = member(section, "bytes");
    text += "section  " + textOf(section, "kind");
    if (bytes.is_number_unsigned())
      text += "  " + formatBytes(bytes.get<uint64_t>());
    const json &contents = member(section, "contentBytes");
    if (contents.is_number_unsigned())
      text += ", " + formatBytes(contents.get<uint64_t>()) + " with " +
              textOf(section, "compression") + " undone";
    text += "\n";
  }
  return text;
}

/// "kernel hx_add_f32", "host shape", "library onednn.conv (guarded), else kernel k_1":
/// the variants, best first.
std::string describeEngines(const json &instruction) {
  std::string text;
  for (const json &variant : member(instruction, "variants"))
    text += (text.empty() ? "" : ", else ") + textOf(variant, "engine") + " " +
            textOf(variant, "name") + (variant.contains("guarded") ? " (guarded)" : "") +
            (variant.contains("team") ? " by teams" : "");
  return text;
}

std::string instructionLine(const json &instruction) {
  std::string kind = textOf(instruction, "kind");
  std::string line = "    ";
  if (!kind.empty() && kind != "run")
    return line + kind + "  " + textOf(instruction, "valueName") + "\n";
  line += textOf(instruction, "op") + "  " + describeEngines(instruction);
  if (std::string node = textOf(instruction, "node"); !node.empty())
    line += "  [" + shorten(node) + "]";
  if (std::string reason = textOf(instruction, "reason"); !reason.empty())
    line += "  " + reason;
  return line + "\n";
}

std::string programLines(const json &program, bool showInstructions) {
  const json &instructions = member(program, "instructions");
  std::map<std::string, size_t> countOf;
  for (const json &instruction : instructions) {
    std::string kind = textOf(instruction, "kind");
    const json &variants = member(instruction, "variants");
    if (kind.empty() || kind == "run")
      kind = variants.is_array() && !variants.empty() ? textOf(variants[0], "engine")
                                                      : textOf(instruction, "engine");
    ++countOf[kind.empty() ? "other" : kind];
  }
  std::string text = "program  " + textOf(program, "target") + "  " +
                     std::to_string(instructions.size()) + " instructions";
  const char *separator = ": ";
  for (const auto &[kind, count] : countOf) {
    text += separator + std::to_string(count) + " " + kind;
    separator = ", ";
  }
  text += "\n";
  if (const json &weights = member(program, "libraryWeights");
      weights.is_number_unsigned() && weights.get<uint64_t>() > 0)
    text += "  " + weights.dump() +
            " weights for a library, which brings them into a form of its own when a "
            "device first runs them (kept in the cache)\n";
  for (const json &fallback : member(program, "fallbacks"))
    if (fallback.is_string())
      text += "  fallback  " + fallback.get<std::string>() + "\n";
  if (showInstructions)
    for (const json &instruction : instructions)
      text += instructionLine(instruction);
  return text;
}

/// What the artifact has no bytes for: "" when there is nothing.
std::string derivedLine(const json &weights) {
  uint64_t count = weights.is_object() ? weights.value("derived", uint64_t{0}) : 0;
  if (count == 0)
    return "";
  return "weights  " + std::to_string(count) + " are made out of others, " +
         formatBytes(weights.value("derivedBytes", uint64_t{0})) +
         ", when a plan first takes them (kept in the cache; compile --prepack=full "
         "ships "
         "them)\n";
}

} // namespace

std::string inspectText(const Model &model, bool showInstructions) {
  std::string text = model.path() + "\nmodel  " + model.name() + "\n";
  if (!model.doc().empty())
    text += "doc  " + shorten(model.doc()) + "\n";
  text += portLines("input", model.inputs());
  text += portLines("output", model.outputs());
  for (const StateInfo &state : model.states())
    text += "state  " + state.name + "  " + std::string(toString(state.dtype)) + " " +
            formatDims(state.dims) + "\n";
  for (const auto &[key, value] : model.metadata())
    text += "metadata  " + key + " = " + shorten(value) + "\n";

  json description = json::parse(model.describeJson(), nullptr, false);
  if (std::string producer = textOf(description, "producer"); !producer.empty())
    text += "producer  " + producer + "\n";
  text += sectionLines(description);
  text += derivedLine(member(description, "weights"));
  for (const json &program : member(description, "programs"))
    text += programLines(program, showInstructions);
  return text;
}

} // namespace hexin::cli
