#include "compiler/artifact/WeightSection.h"

#include "runtime/artifact/Container.h"
#include "runtime/artifact/DerivedWeights.h"
#include "runtime/artifact/Format.h"
#include "runtime/base/DType.h"
#include "runtime/base/Hash.h"
#include "runtime/base/Packing.h"

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
Status packMatrix(PlainForm form, std::vector<int64_t> dims, hx::PanelsAttr panels,
                  size_t elementBytes, std::span<const std::byte> plain, Sink sink) {
  int64_t width = panels.getWidth();
  int64_t rows = dims[0], rowsAtATime = rows;
  size_t rowBytes = rows > 0 ? plain.size() / rows : 0;
  if (form != PlainForm::matmul && rowBytes > 0)
    rowsAtATime = std::max<int64_t>(1, pieceBytes / (rowBytes * width)) * width;
  std::vector<std::byte> packed;
  for (int64_t first = 0; first < rows; first += rowsAtATime) {
    dims[0] = std::min(rowsAtATime, rows - first);
    HEXIN_ASSIGN_OR_RETURN(PanelShape shape,
                           makePanelShape(form, dims, width, elementBytes,
                                          /*groups=*/1, panels.getSteps()));
    packed.resize(shape.packedBytes());
    HEXIN_RETURN_IF_ERROR(
        packPanels(shape, plain.subspan(first * rowBytes, dims[0] * rowBytes), packed));
    HEXIN_RETURN_IF_ERROR(sink(packed));
  }
  return Status::success();
}

PlainForm plainForm(hx::PanelsAttr panels) {
  return panels.getConv()         ? PlainForm::conv
         : panels.getTransposed() ? PlainForm::matmulTransposed
                                  : PlainForm::matmul;
}

/// The panels of `tensor`, one group or batch entry after the other.
Status pack(const Tensor &tensor, hx::PanelsAttr panels, Sink sink) {
  PlainForm form = plainForm(panels);
  std::vector<int64_t> dims(tensor.dims().begin(), tensor.dims().end());
  int64_t matrices = panels.getGroups();
  dims[0] /= matrices;
  if (form != PlainForm::conv)
    for (; dims.size() > 2; dims.erase(dims.begin()))
      matrices *= dims[0];
  std::span<const std::byte> plain = bytesOf(tensor);
  size_t matrixBytes = matrices > 0 ? plain.size() / matrices : 0;
  for (int64_t i = 0; i < matrices; ++i)
    HEXIN_RETURN_IF_ERROR(packMatrix(form, dims, panels, byteWidth(tensor.dtype()),
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

static bool hasSameElements(const Tensor &a, const Tensor &b) {
  return a.dtype() == b.dtype() && a.byteLength() == b.byteLength() &&
         std::memcmp(a.data(), b.data(), a.byteLength()) == 0;
}

static bool isEqual(const Tensor &a, const Tensor &b) {
  return std::ranges::equal(a.dims(), b.dims()) && hasSameElements(a, b);
}

std::optional<uint32_t> WeightSection::find(const Entry &wanted) const {
  for (auto [it, end] = byHash.equal_range(wanted.hash); it != end; ++it)
    if (const Entry &entry = entries[it->second];
        entry.form.panels == wanted.form.panels &&
        entry.form.winogradTile == wanted.form.winogradTile &&
        isEqual(entry.tensor, wanted.tensor))
      return it->second;
  return std::nullopt;
}

uint32_t WeightSection::findOrAdd(const std::string &name, const Tensor &tensor) {
  for (auto [it, end] = byHash.equal_range(hash64(bytesOf(tensor))); it != end; ++it)
    if (const Entry &entry = entries[it->second];
        entry.form.winogradTile == 0 && hasSameElements(entry.tensor, tensor))
      return it->second;
  return add(name, tensor, {});
}

uint32_t WeightSection::add(const std::string &name, const Tensor &tensor,
                            const Form &form) {
  Entry entry{name, tensor, form, hash64(bytesOf(tensor))};
  std::optional<uint32_t> known = find(entry);
  if (!known) {
    known = static_cast<uint32_t>(entries.size());
    byHash.emplace(entry.hash, *known);
    entries.push_back(std::move(entry));
  }
  entries[*known].programs.insert(program);
  entries[*known].form.isReadByHost |= form.isReadByHost;
  return *known;
}

Result<PanelShape> WeightSection::Entry::packed() const {
  return makePanelShape(plainForm(form.panels), tensor.dims(), form.panels.getWidth(),
                        byteWidth(tensor.dtype()), form.panels.getGroups(),
                        form.panels.getSteps());
}

WinogradForm WeightSection::Entry::winograd() const {
  return {.tile = form.winogradTile,
          .inputs = tensor.dims()[1],
          .outputs = tensor.dims()[0] / form.panels.getGroups(),
          .groups = form.panels.getGroups(),
          .width = form.panels.getWidth()};
}

/// How `entry` is made when it is used; nullopt: it is written.
std::optional<WeightSection::Making> WeightSection::makingOf(const Entry &entry) const {
  if (holdsDerived)
    return std::nullopt;
  if (entry.form.winogradTile > 0) {
    Entry direct = entry;
    direct.form.winogradTile = 0;
    std::optional<uint32_t> source = find(direct);
    if (!source || !winogradElements(entry.winograd()))
      return std::nullopt;
    return Making{*source, entry.winograd()};
  }
  if (entry.form.panels || entry.form.isReadByHost)
    return std::nullopt;
  // Plain beside panels of another program's. A program that has both may read them from
  // the file.
  std::optional<Making> making;
  for (auto [it, end] = byHash.equal_range(entry.hash); it != end; ++it) {
    const Entry &other = entries[it->second];
    if (!other.form.panels || other.form.winogradTile > 0 ||
        !isEqual(other.tensor, entry.tensor))
      continue;
    auto hasPanels = [&](int user) { return other.programs.count(user) > 0; };
    if (llvm::any_of(entry.programs, hasPanels))
      return std::nullopt;
    if (auto panels = other.packed(); panels.ok() && !making)
      making = Making{it->second, *panels};
  }
  return making;
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
  const Form &form = entry.form;
  if (form.winogradTile > 0)
    HEXIN_RETURN_IF_ERROR(transform(entry.tensor, form.panels, entry.winograd(), append));
  else if (form.panels)
    HEXIN_RETURN_IF_ERROR(pack(entry.tensor, form.panels, append));
  else
    HEXIN_RETURN_IF_ERROR(append(bytesOf(entry.tensor)));
  weight.hash = hash.digest();
  weight.length = file.sectionBytes() - weight.offset;
  return Status::success();
}

Status WeightSection::write(ArtifactFile &file, fmt::HeaderT &header) {
  for (size_t i = 0, count = entries.size(); i < count; ++i)
    if (Entry direct = entries[i]; direct.form.winogradTile > 0 && !holdsDerived) {
      direct.form.winogradTile = 0;
      add(direct.name, direct.tensor, direct.form); // unless it is there
    }
  HEXIN_RETURN_IF_ERROR(file.beginSection(fmt::SectionKind::weights));
  std::vector<std::pair<size_t, Making>> made;
  for (const auto &[i, entry] : llvm::enumerate(entries)) {
    auto weight = std::make_unique<fmt::WeightT>();
    weight->name = entry.name;
    weight->dtype = static_cast<uint8_t>(entry.tensor.dtype());
    weight->dims.assign(entry.tensor.dims().begin(), entry.tensor.dims().end());
    if (const Form &form = entry.form; form.panels) {
      weight->encoding =
          form.winogradTile > 0 ? fmt::Encoding::winograd : fmt::Encoding::panels;
      weight->winograd_tile = static_cast<uint8_t>(form.winogradTile);
      weight->panel_width = form.panels.getWidth();
      weight->panel_groups = form.panels.getGroups();
      weight->panel_transposed = form.panels.getTransposed();
      weight->panel_conv = form.panels.getConv();
      weight->panel_steps = form.panels.getSteps();
    }
    if (std::optional<Making> making = makingOf(entry))
      made.emplace_back(i, *making);
    else
      HEXIN_RETURN_IF_ERROR(writeEntry(entry, file, *weight));
    header.weights.push_back(std::move(weight));
  }
  for (const auto &[i, making] : made) { // what they are made out of has been hashed
    fmt::WeightT &weight = *header.weights[i];
    weight.derived_from = static_cast<int32_t>(making.source);
    weight.length =
        static_cast<uint64_t>(making.form.numParts() * making.form.partBytes());
    weight.hash = making.form.hash(header.weights[making.source]->hash);
    header.required_features |= fmt::derivedWeightsFeature;
  }
  return file.endSection().status();
}

} // namespace hexin
