//===- WeightSection.h - the weights of an artifact, written once -----------===//
//
// Collects the constants that programs refer to. Equal contents in equal form are
// one entry, shared by all programs; a weight whose panels are stored has no plain
// copy beside them, unless a program has both forms or the host reads the plain one.
// `write` streams the entries: packed forms are made in pieces (a [K, N] matrix as a
// whole).
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_COMPILER_ARTIFACT_WEIGHTSECTION_H
#define HEXIN_COMPILER_ARTIFACT_WEIGHTSECTION_H

#include "compiler/ir/Ops.h"
#include "runtime/artifact/ArtifactFile.h"
#include "runtime/artifact/DerivedWeights.h"

#include "hexin/value.h"

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace hexin {

class WeightSection {
public:
  /// `holdsDerived`: Winograd forms are written; else they are made out of their panels,
  /// which are written, when a plan first takes them (runtime/artifact/DerivedWeights.h).
  explicit WeightSection(bool holdsDerived = false) : holdsDerived(holdsDerived) {}

  /// What is added from here on is another program's.
  void beginProgram() { ++program; }

  /// How a program has a weight.
  struct Form {
    hx::PanelsAttr panels = {}; ///< null: plain
    int64_t winogradTile = 0;   ///< of panels; 0: taps as they are
    bool isReadByHost = false;
  };

  /// Index of the entry for `tensor` in this form.
  uint32_t add(const std::string &name, const Tensor &tensor, const Form &form);

  /// An entry, in whatever form and of whatever sizes, that holds the elements of
  /// `tensor` in their order; a plain one when there is none yet.
  uint32_t findOrAdd(const std::string &name, const Tensor &tensor);

  Status write(ArtifactFile &file, fmt::HeaderT &header);

private:
  struct Entry {
    std::string name;
    Tensor tensor;
    Form form;
    uint64_t hash;
    std::set<int> programs = {}; ///< that have it in this form

    WinogradForm winograd() const;
    Result<PanelShape> packed() const;
  };
  /// Out of what, and how.
  struct Making {
    uint32_t source;
    DerivedForm form;
  };
  std::optional<uint32_t> find(const Entry &wanted) const;
  std::optional<Making> makingOf(const Entry &entry) const;
  Status writeEntry(const Entry &entry, ArtifactFile &file, fmt::WeightT &weight) const;

  bool holdsDerived;
  int program = 0;
  std::vector<Entry> entries;
  std::multimap<uint64_t, uint32_t> byHash;
};

} // namespace hexin

#endif // HEXIN_COMPILER_ARTIFACT_WEIGHTSECTION_H
