#include "compiler/artifact/WeightSection.h"

#include "runtime/artifact/Container.h"
#include "runtime/artifact/DerivedWeights.h"
#include "runtime/artifact/Format.h"
#include "runtime/base/DType.h"
#include "runtime/base/Hash.h"
#include "runtime/reference/Packing.h"

#include <algorithm>
#include <cstring>

namespace hexin {
namespace {

std::span<const std::byte> bytesOf(const Tensor &tensor) {
  return {static_cast<const std::byte *>(tensor.data()), tensor.byteLength()};
}

using Sink = llvm::function_ref<Status(std::span<const std::byte>)>;

/// Packed bytes that are in memory at a time, where the form allows.
constexpr size_t pieceBytes = size_t(4) << 20;

/// Packs one matrix of sizes `dims`. Where its rows become columns of the panels
/// ([N, K] forms), some panels at a time.
Status packMatrix(reference::PlainForm form, std::vector<int64_t> dims, int64_t width,
                  size_t elementBytes, std::span<const std::byte> plain, Sink sink) {
  int64_t rows = dims[0], rowsAtATime = rows;
  size_t rowBytes = rows > 0 ? plain.size() / rows : 0;
  if (form != reference::PlainForm::matmul && rowBytes > 0)
    rowsAtATime = std::max<int64_t>(1, pieceBytes / (rowBytes * width)) * width;
  std::vector<std::byte> packed;
  for (int64_t first = 0; first < rows; first += rowsAtATime) {
    dims[0] = std::min(rowsAtATime, rows - first);
    HEXIN_ASSIGN_OR_RETURN(reference::PanelShape shape,
                           reference::makePanelShape(form, dims, width, elementBytes));
    packed.resize(shape.packedBytes());
    HEXIN_RETURN_IF_ERROR(reference::packPanels(
        shape, plain.subspan(first * rowBytes, dims[0] * rowBytes), packed));
    HEXIN_RETURN_IF_ERROR(sink(packed));
  }
  return Status::success();
}

/// The panels of `tensor`, one group or batch entry after the other.
Status pack(const Tensor &tensor, hx::PanelsAttr panels, Sink sink) {
  auto form = panels.getConv()         ? reference::PlainForm::conv
              : panels.getTransposed() ? reference::PlainForm::matmulTransposed
                                       : reference::PlainForm::matmul;
  std::vector<int64_t> dims(tensor.dims().begin(), tensor.dims().end());
  int64_t matrices = panels.getGroups();
  dims[0] /= matrices;
  if (form != reference::PlainForm::conv)
    for (; dims.size() > 2; dims.erase(dims.begin()))
      matrices *= dims[0];
  std::span<const std::byte> plain = bytesOf(tensor);
  size_t matrixBytes = matrices > 0 ? plain.size() / matrices : 0;
  for (int64_t i = 0; i < matrices; ++i)
    HEXIN_RETURN_IF_ERROR(packMatrix(form, dims, panels.getWidth(),
                                     byteWidth(tensor.dtype()),
                                     plain.subspan(i * matrixBytes, matrixBytes), sink));
  return Status::success();
}

/// A convolution's panels, transformed (as a whole).
Status transform(const Tensor &tensor, hx::PanelsAttr panels, const WinogradForm &form,
                 Sink sink) {
  auto elements = winogradElements(form);
  if (!elements)
    return internalError("weights that have no Winograd form were to be transformed");
  std::vector<std::byte> direct;
  HEXIN_RETURN_IF_ERROR(pack(tensor, panels, [&](std::span<const std::byte> packed) {
    direct.insert(direct.end(), packed.begin(), packed.end());
    return Status::success();
  }));
  std::vector<float> u(static_cast<size_t>(*elements));
  std::span<const float> from(reinterpret_cast<const float *>(direct.data()),
                              direct.size() / sizeof(float));
  HEXIN_RETURN_IF_ERROR(transformWeights(form, 0, *winogradPanels(form), from, u));
  return sink(std::as_bytes(std::span(u)));
}

} // namespace

static bool isEqual(const Tensor &a, const Tensor &b) {
  return a.dtype() == b.dtype() && std::ranges::equal(a.dims(), b.dims()) &&
         std::memcmp(a.data(), b.data(), a.byteLength()) == 0;
}

uint32_t WeightSection::findOrAdd(const std::string &name, const Tensor &tensor) {
  for (auto [it, end] = byHash.equal_range(hash64(bytesOf(tensor))); it != end; ++it)
    if (entries[it->second].winogradTile == 0 &&
        isEqual(entries[it->second].tensor, tensor))
      return it->second;
  return add(name, tensor, {});
}

uint32_t WeightSection::add(const std::string &name, const Tensor &tensor,
                            hx::PanelsAttr panels, int64_t winogradTile) {
  uint64_t hash = hash64(bytesOf(tensor));
  for (auto [it, end] = byHash.equal_range(hash); it != end; ++it)
    if (entries[it->second].panels == panels &&
        entries[it->second].winogradTile == winogradTile &&
        isEqual(entries[it->second].tensor, tensor))
      return it->second;
  entries.push_back({name, tensor, panels, winogradTile, hash});
  byHash.emplace(hash, entries.size() - 1);
  return entries.size() - 1;
}

WinogradForm WeightSection::Entry::form() const {
  return {.tile = winogradTile,
          .inputs = tensor.dims()[1],
          .outputs = tensor.dims()[0] / panels.getGroups(),
          .groups = panels.getGroups(),
          .width = panels.getWidth()};
}

/// The bytes of `entry` to the file.
Status WeightSection::writeEntry(const Entry &entry, ArtifactFile &file,
                                 fmt::WeightT &weight) const {
  HEXIN_RETURN_IF_ERROR(file.alignTo(weightAlignment));
  weight.offset = file.sectionBytes();
  Hasher hash;
  auto append = [&](std::span<const std::byte> packed) {
    hash.update(packed);
    return file.append(packed);
  };
  if (entry.winogradTile > 0)
    HEXIN_RETURN_IF_ERROR(transform(entry.tensor, entry.panels, entry.form(), append));
  else if (entry.panels)
    HEXIN_RETURN_IF_ERROR(pack(entry.tensor, entry.panels, append));
  else
    HEXIN_RETURN_IF_ERROR(append(bytesOf(entry.tensor)));
  weight.hash = hash.digest();
  weight.length = file.sectionBytes() - weight.offset;
  return Status::success();
}

/// Says how `entry` is made; what it is made out of has been written.
Status WeightSection::derive(const Entry &entry, fmt::HeaderT &header,
                             fmt::WeightT &weight) {
  uint32_t source = add(entry.name, entry.tensor, entry.panels);
  auto elements = winogradElements(entry.form());
  if (!elements)
    return internalError("weights that have no Winograd form were to be transformed");
  weight.derived_from = static_cast<int32_t>(source);
  weight.length = static_cast<uint64_t>(*elements) * sizeof(float);
  weight.hash = derivedHash(header.weights[source]->hash, entry.form());
  header.required_features |= fmt::derivedWeightsFeature;
  return Status::success();
}

Status WeightSection::write(ArtifactFile &file, fmt::HeaderT &header) {
  auto isMade = [&](const Entry &entry) {
    return entry.winogradTile > 0 && !holdsDerived;
  };
  for (size_t i = 0, count = entries.size(); i < count; ++i)
    if (Entry entry = entries[i]; isMade(entry))
      add(entry.name, entry.tensor, entry.panels); // unless it is there
  HEXIN_RETURN_IF_ERROR(file.beginSection(fmt::SectionKind::weights));
  for (const Entry &entry : entries) {
    auto weight = std::make_unique<fmt::WeightT>();
    weight->name = entry.name;
    weight->dtype = static_cast<uint8_t>(entry.tensor.dtype());
    weight->dims.assign(entry.tensor.dims().begin(), entry.tensor.dims().end());
    if (entry.panels) {
      weight->encoding =
          entry.winogradTile > 0 ? fmt::Encoding::winograd : fmt::Encoding::panels;
      weight->winograd_tile = static_cast<uint8_t>(entry.winogradTile);
      weight->panel_width = entry.panels.getWidth();
      weight->panel_groups = entry.panels.getGroups();
      weight->panel_transposed = entry.panels.getTransposed();
      weight->panel_conv = entry.panels.getConv();
    }
    if (!isMade(entry))
      HEXIN_RETURN_IF_ERROR(writeEntry(entry, file, *weight));
    header.weights.push_back(std::move(weight));
  }
  for (size_t i = 0; i < entries.size(); ++i)
    if (isMade(entries[i]))
      HEXIN_RETURN_IF_ERROR(derive(entries[i], header, *header.weights[i]));
  return file.endSection().status();
}

} // namespace hexin
