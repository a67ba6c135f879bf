#include "runtime/artifact/VerifyHeader.h"

#include "runtime/artifact/Container.h"
#include "runtime/artifact/DerivedWeights.h"
#include "runtime/artifact/VerifyProgram.h"
#include "runtime/base/Checked.h"
#include "runtime/base/StoredBits.h"

#include <algorithm>
#include <optional>
#include <set>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace hexin {
namespace {

using verify::sizeOf;

constexpr uint32_t noSection = ~0u;

Status verifySections(const fmt::Header &header, uint64_t sectionsEnd,
                      uint32_t &weightsSection) {
  std::vector<const fmt::Section *> byOffset;
  bool hasPortable = false;
  for (uint32_t i = 0; i < sizeOf(header.sections()); ++i) {
    const fmt::Section *section = header.sections()->Get(i);
    std::string where = "section " + std::to_string(i);
    if (section->kind() > fmt::SectionKind::MAX)
      return versionMismatch(where + " is of a kind this build does not know");
    if (section->compression() > fmt::Compression::MAX)
      return versionMismatch(where + " is compressed in a way this build does not know");
    bool isCompressed = section->compression() != fmt::Compression::none;
    if (isCompressed && section->kind() == fmt::SectionKind::weights)
      return corruptData(where + ": weights cannot be compressed");
    uint64_t alignment = isCompressed ? frameAlignment : sectionAlignment;
    if (section->offset() < sizeof(Preamble) || section->offset() % alignment != 0 ||
        !rangeFits(section->offset(), section->length(), sectionsEnd))
      return corruptData(where + " (" + std::to_string(section->length()) + " bytes at " +
                         std::to_string(section->offset()) + ") is not aligned to " +
                         std::to_string(alignment) + " bytes inside the file");
    if (section->kind() == fmt::SectionKind::weights &&
        std::exchange(weightsSection, i) != noSection)
      return corruptData(where + ": a second weights section");
    if (section->kind() == fmt::SectionKind::portable && std::exchange(hasPortable, true))
      return corruptData(where + ": a second portable section");
    byOffset.push_back(section);
  }
  std::sort(byOffset.begin(), byOffset.end(), [](const auto *a, const auto *b) {
    return std::pair(a->offset(), a->length()) < std::pair(b->offset(), b->length());
  });
  for (size_t i = 1; i < byOffset.size(); ++i)
    if (byOffset[i - 1]->offset() + byOffset[i - 1]->length() > byOffset[i]->offset())
      return corruptData("sections overlap at offset " +
                         std::to_string(byOffset[i]->offset()));
  return Status::success();
}

/// Bytes of `numElements` elements, narrow ones packed; nullopt on overflow.
std::optional<int64_t> packedBytes(int64_t numElements, DType dtype) {
  auto bits = checkedMul(numElements, storedBits(dtype));
  auto rounded = bits ? checkedAdd(*bits, 7) : std::nullopt;
  return rounded ? std::optional(*rounded / 8) : std::nullopt;
}

/// Elements of a panel-packed weight, the last panel of each matrix filled up. Nullopt
/// when the sizes and fields do not fit.
std::optional<int64_t> panelElements(const fmt::Weight &weight) {
  auto shape = panelShapeOf(weight);
  return shape ? std::optional(shape->batch * shape->numPanels() * shape->depth() *
                               shape->width)
               : std::nullopt;
}

/// Elements of a convolution's weight in Winograd form, likewise.
std::optional<int64_t> transformedElements(const fmt::Weight &weight) {
  auto form = winogradFormOf(weight);
  return form ? winogradElements(*form) : std::nullopt;
}

Status verifyWeight(const fmt::Weight &weight, const std::string &where,
                    uint64_t weightsBytes) {
  HEXIN_RETURN_IF_ERROR(verify::checkDType(weight.dtype(), where));
  auto dtype = static_cast<DType>(weight.dtype());
  if (dtype == DType::string)
    return corruptData(where + ": a weight cannot hold strings");
  if (sizeOf(weight.dims()) > verify::maxRank)
    return corruptData(where + ": rank " + std::to_string(sizeOf(weight.dims())) +
                       " is above " + std::to_string(verify::maxRank));
  if (isDerived(weight) &&
      (weight.offset() != 0 || weight.encoding() == fmt::Encoding::panels))
    return corruptData(where + " is derived from weight " +
                       std::to_string(weight.derived_from()) +
                       ", but has a place in the file or an encoding that is never made");
  if (!isDerived(weight) && (weight.offset() % weightAlignment != 0 ||
                             !rangeFits(weight.offset(), weight.length(), weightsBytes)))
    return corruptData(where + " (" + std::to_string(weight.length()) + " bytes at " +
                       std::to_string(weight.offset()) +
                       ") is not 64-byte aligned inside the weights section of " +
                       std::to_string(weightsBytes) + " bytes");
  std::vector<int64_t> dims;
  if (weight.dims())
    dims.assign(weight.dims()->begin(), weight.dims()->end());
  auto fits = [&](std::optional<int64_t> numElements) {
    if (!numElements)
      return false;
    auto packed = packedBytes(*numElements, dtype);
    auto unpacked = checkedMul(*numElements, byteWidth(dtype));
    auto length = static_cast<int64_t>(weight.length());
    return (packed && *packed == length) || (unpacked && *unpacked == length);
  };
  bool matches = false;
  switch (weight.encoding()) {
  case fmt::Encoding::plain:
    matches = fits(checkedNumElements(dims));
    break;
  case fmt::Encoding::panels:
    matches = fits(panelElements(weight));
    break;
  case fmt::Encoding::winograd:
    matches = fits(transformedElements(weight));
    break;
  default:
    return versionMismatch(where + " has an encoding this build does not know");
  }
  if (!matches)
    return corruptData(where + ": " + std::to_string(weight.length()) +
                       " bytes do not hold its sizes as " + std::string(toString(dtype)));
  return Status::success();
}

/// That what a weight is made out of is there, and is panels of the same weight. Each is
/// made in each form at most once: so all that are made are a small multiple of the file.
Status verifySource(const fmt::Header &header, uint32_t index,
                    std::set<std::pair<int32_t, uint8_t>> &made) {
  const fmt::Weight &weight = *header.weights()->Get(index);
  if (!isDerived(weight))
    return Status::success();
  std::string where = "weight " + std::to_string(index) + ", derived from weight " +
                      std::to_string(weight.derived_from()) + ",";
  if (!(header.required_features() & fmt::derivedWeightsFeature))
    return corruptData(where + " is in a file without the feature bit for such");
  if (static_cast<uint32_t>(weight.derived_from()) >= sizeOf(header.weights()))
    return corruptData(where + " names one of " +
                       std::to_string(sizeOf(header.weights())));
  const fmt::Weight &source = *header.weights()->Get(weight.derived_from());
  if (isDerived(source) || source.encoding() != fmt::Encoding::panels)
    return corruptData(where + " names one whose panels are not in the file");
  bool isPlain = weight.encoding() == fmt::Encoding::plain;
  bool isOfPanels = source.panel_width() == weight.panel_width() &&
                    source.panel_groups() == weight.panel_groups() &&
                    source.panel_steps() == weight.panel_steps() && source.panel_conv() &&
                    !source.panel_transposed();
  if (source.dtype() != weight.dtype() || !(isPlain || isOfPanels) ||
      !std::equal(source.dims()->begin(), source.dims()->end(), weight.dims()->begin(),
                  weight.dims()->end()))
    return corruptData(where + " has other sizes or panels");
  auto form = DerivedForm::of(weight, source);
  if (!form ||
      static_cast<uint64_t>(form->numParts() * form->partBytes()) != weight.length())
    return corruptData(where + " cannot be made out of it");
  if (weight.hash() != form->hash(source.hash()))
    return versionMismatch(where + " is made in another way by this build; compile or "
                                   "retarget the model again");
  if (!made.insert({weight.derived_from(), weight.winograd_tile()}).second)
    return corruptData(where + " is a second one of its form");
  return Status::success();
}

Status verifyType(const fmt::TypeDef &type, const std::string &where,
                  verify::Budget &budget, uint32_t depth = 0) {
  auto kind = static_cast<ValueKind>(type.kind());
  if (kind > ValueKind::map)
    return versionMismatch(where + " is of a kind this build does not know");
  HEXIN_RETURN_IF_ERROR(verify::checkDType(type.dtype(), where));
  HEXIN_RETURN_IF_ERROR(budget.charge(type.dims()));
  auto dtype = static_cast<DType>(type.dtype());
  bool isTensor = kind == ValueKind::tensor || kind == ValueKind::strings;
  if (isTensor == (type.held() != nullptr) || depth > fmt::maxTypeDepth)
    return corruptData(where + ": its type holds nothing, or too much");
  if (isTensor ? (kind == ValueKind::strings) != (dtype == DType::string)
               : kind == ValueKind::map && dtype != DType::i64 && dtype != DType::string)
    return corruptData(where + " of kind " + std::to_string(type.kind()) +
                       " cannot have elements or keys of " +
                       std::string(toString(dtype)));
  if (!isTensor)
    return verifyType(*type.held(), where, budget, depth + 1);
  if (type.rank() < -1 || type.rank() > static_cast<int32_t>(verify::maxRank) ||
      sizeOf(type.dims()) != static_cast<uint32_t>(std::max(type.rank(), 0)))
    return corruptData(where + ": its type has not one size per axis");
  for (uint32_t axis = 0; axis < sizeOf(type.dims()); ++axis)
    if (type.dims()->Get(axis) < -1)
      return corruptData(where + ": size " + std::to_string(type.dims()->Get(axis)));
  return Status::success();
}

/// That kind, element type and type of a port go together.
Status verifyPortType(const fmt::Port &port, const std::string &where,
                      verify::Budget &budget) {
  auto kind = static_cast<ValueKind>(port.kind());
  if (kind > ValueKind::map)
    return versionMismatch(where + " is of a kind this build does not know");
  if (kind == ValueKind::tensor || kind == ValueKind::strings) {
    if ((kind == ValueKind::strings) !=
        (static_cast<DType>(port.dtype()) == DType::string))
      return corruptData(where + ": its element type is not of its kind");
    if (port.type())
      return corruptData(where + " is a tensor and holds no other values");
    return Status::success();
  }
  if (!port.type() || port.type()->kind() != port.kind() || sizeOf(port.dims()) != 0)
    return corruptData(where + " holds other values, but its type does not say which");
  return verifyType(*port.type(), where, budget);
}

Status verifyPorts(const flatbuffers::Vector<flatbuffers::Offset<fmt::Port>> *ports,
                   const std::string &what, verify::Budget &budget) {
  std::set<std::string_view> names;
  for (uint32_t i = 0; i < sizeOf(ports); ++i) {
    const fmt::Port *port = ports->Get(i);
    std::string where = what + " " + std::to_string(i);
    HEXIN_RETURN_IF_ERROR(budget.charge(port->name()));
    HEXIN_RETURN_IF_ERROR(budget.charge(port->doc()));
    HEXIN_RETURN_IF_ERROR(budget.charge(port->dims()));
    HEXIN_RETURN_IF_ERROR(budget.charge(port->symbols()));
    HEXIN_RETURN_IF_ERROR(verify::checkDType(port->dtype(), where));
    HEXIN_RETURN_IF_ERROR(verifyPortType(*port, where, budget));
    if (sizeOf(port->dims()) > verify::maxRank)
      return corruptData(where + ": rank above " + std::to_string(verify::maxRank));
    if (sizeOf(port->symbols()) != 0 && sizeOf(port->symbols()) != sizeOf(port->dims()))
      return corruptData(where + ": symbols are not one per axis");
    for (uint32_t s = 0; s < sizeOf(port->symbols()); ++s)
      HEXIN_RETURN_IF_ERROR(budget.charge(port->symbols()->Get(s)));
    for (uint32_t axis = 0; axis < sizeOf(port->dims()); ++axis)
      if (port->dims()->Get(axis) < -1)
        return corruptData(where + ": size " + std::to_string(port->dims()->Get(axis)));
    if (!names.insert(port->name()->string_view()).second)
      return corruptData(where + ": a second one named '" + port->name()->str() + "'");
  }
  return Status::success();
}

Status verifyStates(const fmt::Header &header, verify::Budget &budget) {
  std::set<uint32_t> inputs, outputs;
  std::set<std::string_view> names;
  for (uint32_t i = 0; i < sizeOf(header.states()); ++i) {
    const fmt::State *state = header.states()->Get(i);
    std::string where = "state " + std::to_string(i);
    HEXIN_RETURN_IF_ERROR(budget.charge(state->name()));
    HEXIN_RETURN_IF_ERROR(budget.charge(state->dims()));
    HEXIN_RETURN_IF_ERROR(budget.charge(state->first_dims()));
    if (state->input() >= sizeOf(header.inputs()) ||
        state->output() >= sizeOf(header.outputs()))
      return corruptData(where + " ties an input or output that does not exist");
    const fmt::Port *input = header.inputs()->Get(state->input());
    const fmt::Port *output = header.outputs()->Get(state->output());
    auto tensor = static_cast<uint8_t>(ValueKind::tensor);
    if (input->kind() != tensor || output->kind() != tensor ||
        input->dtype() != state->dtype() || output->dtype() != state->dtype() ||
        sizeOf(input->dims()) != sizeOf(state->dims()) ||
        sizeOf(output->dims()) != sizeOf(state->dims()) ||
        byteWidth(static_cast<DType>(state->dtype())) == 0)
      return corruptData(where + ", its input and its output are not of one type");
    for (uint32_t axis = 0; axis < sizeOf(state->dims()); ++axis)
      if (state->dims()->Get(axis) < -1)
        return corruptData(where + ": size " + std::to_string(state->dims()->Get(axis)));
    bool isPair = state->dtype() == static_cast<uint8_t>(DType::i64) &&
                  sizeOf(state->dims()) == 1 && state->dims()->Get(0) == 2;
    if (state->random() && !isPair)
      return corruptData(where + " is one of random numbers, but not i64 [2]");
    if (sizeOf(state->first_dims()) != 0 &&
        sizeOf(state->first_dims()) != sizeOf(state->dims()))
      return corruptData(where + ": its first sizes are not one per axis");
    for (uint32_t axis = 0; axis < sizeOf(state->first_dims()); ++axis)
      if (state->first_dims()->Get(axis) < -1)
        return corruptData(where + ": first size " +
                           std::to_string(state->first_dims()->Get(axis)));
    if (!inputs.insert(state->input()).second ||
        !outputs.insert(state->output()).second ||
        !names.insert(state->name()->string_view()).second)
      return corruptData(where + " shares its name, input or output with another");
  }
  return Status::success();
}

} // namespace

Status verifyHeader(const fmt::Header &header, uint64_t headerBytes,
                    uint64_t sectionsEnd) {
  if (uint64_t unknown = header.required_features() & ~fmt::knownFeatures)
    return versionMismatch("the file needs feature bits " + std::to_string(unknown) +
                           " that this build does not have; use a newer one");
  verify::Budget budget(headerBytes);
  uint32_t weightsSection = noSection;
  HEXIN_RETURN_IF_ERROR(verifySections(header, sectionsEnd, weightsSection));
  uint64_t weightsBytes =
      weightsSection == noSection ? 0 : header.sections()->Get(weightsSection)->length();
  for (uint32_t i = 0; i < sizeOf(header.weights()); ++i) {
    const fmt::Weight *weight = header.weights()->Get(i);
    HEXIN_RETURN_IF_ERROR(budget.charge(weight->name()));
    HEXIN_RETURN_IF_ERROR(budget.charge(weight->dims()));
    HEXIN_RETURN_IF_ERROR(
        verifyWeight(*weight, "weight " + std::to_string(i), weightsBytes));
  }
  std::set<std::pair<int32_t, uint8_t>> made;
  for (uint32_t i = 0; i < sizeOf(header.weights()); ++i)
    HEXIN_RETURN_IF_ERROR(verifySource(header, i, made));
  HEXIN_RETURN_IF_ERROR(verifyPorts(header.inputs(), "input", budget));
  HEXIN_RETURN_IF_ERROR(verifyPorts(header.outputs(), "output", budget));
  HEXIN_RETURN_IF_ERROR(verifyStates(header, budget));
  for (uint32_t i = 0; i < sizeOf(header.metadata()); ++i) {
    HEXIN_RETURN_IF_ERROR(budget.charge(header.metadata()->Get(i)->key()));
    HEXIN_RETURN_IF_ERROR(budget.charge(header.metadata()->Get(i)->value()));
  }
  std::set<std::string_view> targets;
  for (uint32_t i = 0; i < sizeOf(header.programs()); ++i) {
    const fmt::Program *program = header.programs()->Get(i);
    HEXIN_RETURN_IF_ERROR(budget.charge(program->target()));
    std::string context = "program '" + program->target()->str() + "'";
    if (!targets.insert(program->target()->string_view()).second)
      return corruptData("two programs for '" + program->target()->str() + "'");
    if (Status bad = verify::verifyProgram(*program, header, budget); !bad)
      return bad.withContext(context);
  }
  return Status::success();
}

} // namespace hexin
