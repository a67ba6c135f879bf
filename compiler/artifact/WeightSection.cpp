#include "compiler/artifact/WeightSection.h"

#include "runtime/artifact/Container.h"
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

/// The panels of `tensor`, one group after the other.
Result<std::vector<std::byte>> pack(const Tensor &tensor, hx::PanelsAttr panels) {
  auto form = panels.getConv()         ? reference::PlainForm::conv
              : panels.getTransposed() ? reference::PlainForm::matmulTransposed
                                       : reference::PlainForm::matmul;
  std::vector<int64_t> dims(tensor.dims().begin(), tensor.dims().end());
  int64_t groups = panels.getGroups();
  dims[0] /= groups;
  HEXIN_ASSIGN_OR_RETURN(reference::PanelShape shape,
                         reference::makePanelShape(form, dims, panels.getWidth(),
                                                   byteWidth(tensor.dtype())));
  std::vector<std::byte> packed(shape.packedBytes() * groups);
  std::span<const std::byte> plain = bytesOf(tensor);
  for (int64_t group = 0; group < groups; ++group)
    HEXIN_RETURN_IF_ERROR(reference::packPanels(
        shape, plain.subspan(group * shape.plainBytes(), shape.plainBytes()),
        std::span(packed).subspan(group * shape.packedBytes(), shape.packedBytes())));
  return packed;
}

} // namespace

static bool isEqual(const Tensor &a, const Tensor &b) {
  return a.dtype() == b.dtype() && std::ranges::equal(a.dims(), b.dims()) &&
         std::memcmp(a.data(), b.data(), a.byteLength()) == 0;
}

uint32_t WeightSection::findOrAdd(const std::string &name, const Tensor &tensor) {
  for (auto [it, end] = byHash.equal_range(hash64(bytesOf(tensor))); it != end; ++it)
    if (isEqual(entries[it->second].tensor, tensor))
      return it->second;
  return add(name, tensor, {});
}

uint32_t WeightSection::add(const std::string &name, const Tensor &tensor,
                            hx::PanelsAttr panels) {
  uint64_t hash = hash64(bytesOf(tensor));
  for (auto [it, end] = byHash.equal_range(hash); it != end; ++it)
    if (entries[it->second].panels == panels &&
        isEqual(entries[it->second].tensor, tensor))
      return it->second;
  entries.push_back({name, tensor, panels, hash});
  byHash.emplace(hash, entries.size() - 1);
  return entries.size() - 1;
}

Status WeightSection::write(ArtifactFile &file, fmt::HeaderT &header) {
  HEXIN_RETURN_IF_ERROR(file.beginSection(fmt::SectionKind::weights));
  for (const Entry &entry : entries) {
    HEXIN_RETURN_IF_ERROR(file.alignTo(weightAlignment));
    auto weight = std::make_unique<fmt::WeightT>();
    weight->name = entry.name;
    weight->dtype = static_cast<uint8_t>(entry.tensor.dtype());
    weight->dims.assign(entry.tensor.dims().begin(), entry.tensor.dims().end());
    weight->offset = file.sectionBytes();
    if (entry.panels) {
      weight->encoding = fmt::Encoding::panels;
      weight->panel_width = entry.panels.getWidth();
      weight->panel_groups = entry.panels.getGroups();
      weight->panel_transposed = entry.panels.getTransposed();
      weight->panel_conv = entry.panels.getConv();
      HEXIN_ASSIGN_OR_RETURN(std::vector<std::byte> packed,
                             pack(entry.tensor, entry.panels));
      weight->hash = hash64(packed);
      HEXIN_RETURN_IF_ERROR(file.append(packed));
    } else {
      weight->hash = entry.hash;
      HEXIN_RETURN_IF_ERROR(file.append(bytesOf(entry.tensor)));
    }
    weight->length = file.sectionBytes() - weight->offset;
    header.weights.push_back(std::move(weight));
  }
  return file.endSection().status();
}

} // namespace hexin
