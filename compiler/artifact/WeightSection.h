//===- WeightSection.h - the weights of an artifact, written once -----------===//
//
// Collects the constants that programs refer to. Equal contents in equal form are
// one entry, shared by all programs; a weight whose panels are stored has no plain
// copy beside them. `write` streams the entries: packed forms are made in
// pieces (a [K, N] matrix as a whole).
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_COMPILER_ARTIFACT_WEIGHTSECTION_H
#define HEXIN_COMPILER_ARTIFACT_WEIGHTSECTION_H

#include "compiler/ir/Ops.h"
#include "runtime/artifact/ArtifactFile.h"
#include "runtime/artifact/WinogradWeights.h"

#include "hexin/value.h"

#include <map>
#include <string>
#include <vector>

namespace hexin {

class WeightSection {
public:
  /// `holdsDerived`: Winograd forms are written; else they are made out of their panels,
  /// which are written, when a plan first takes them (runtime/artifact/DerivedWeights.h).
  explicit WeightSection(bool holdsDerived = false) : holdsDerived(holdsDerived) {}

  /// Index of the entry for `tensor` in plain or packed form, or with `winogradTile` > 0
  /// in Winograd form.
  uint32_t add(const std::string &name, const Tensor &tensor, hx::PanelsAttr panels,
               int64_t winogradTile = 0);

  /// An entry, in whatever form, that holds `tensor`; a plain one when there is
  /// none yet.
  uint32_t findOrAdd(const std::string &name, const Tensor &tensor);

  Status write(ArtifactFile &file, fmt::HeaderT &header);

private:
  struct Entry {
    std::string name;
    Tensor tensor;
    hx::PanelsAttr panels; ///< null: plain
    int64_t winogradTile;  ///< of panels; 0: taps as they are
    uint64_t hash;

    WinogradForm form() const;
  };
  Status writeEntry(const Entry &entry, ArtifactFile &file, fmt::WeightT &weight) const;
  Status derive(const Entry &entry, fmt::HeaderT &header, fmt::WeightT &weight);

  bool holdsDerived;
  std::vector<Entry> entries;
  std::multimap<uint64_t, uint32_t> byHash;
};

} // namespace hexin

#endif // HEXIN_COMPILER_ARTIFACT_WEIGHTSECTION_H
