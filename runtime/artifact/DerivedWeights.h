//===- DerivedWeights.h - weights that are made out of others ------------------===//
//
// A weight with `derived_from` >= 0 has no bytes in the file. They follow from the weight
// that it names, which is in panels, and from its form alone, on every machine the same,
// so whoever has made them may keep them under derivedHash(). The forms:
//
//   winograd   the panels transformed (WinogradWeights.h)
//   plain      the panels undone (runtime/base/Packing.h), for a target that has its
//              weights plain beside one that has them packed
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_RUNTIME_ARTIFACT_DERIVEDWEIGHTS_H
#define HEXIN_RUNTIME_ARTIFACT_DERIVEDWEIGHTS_H

#include "runtime/artifact/WinogradWeights.h"
#include "runtime/artifact/hexin_generated.h"
#include "runtime/base/Packing.h"

#include "hexin/status.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <variant>

namespace hexin {

inline bool isDerived(const fmt::Weight &weight) { return weight.derived_from() >= 0; }

/// The panels of a weight of encoding panels; nullopt where sizes and fields do not fit.
std::optional<PanelShape> panelShapeOf(const fmt::Weight &weight);

/// The form of a weight of encoding winograd, likewise.
std::optional<WinogradForm> winogradFormOf(const fmt::Weight &weight);

/// What is done to the panels, in parts that each can be made alone and follow one
/// another in the bytes.
class DerivedForm {
public:
  DerivedForm(const WinogradForm &form) : form_(form) {}   ///< one that exists
  DerivedForm(const PanelShape &undone) : form_(undone) {} ///< plain

  /// Of `weight` made out of `source`; nullopt where their fields do not fit a form.
  static std::optional<DerivedForm> of(const fmt::Weight &weight,
                                       const fmt::Weight &source);

  int64_t numParts() const;
  int64_t partBytes() const;

  /// Writes parts [first, last) to `dst`; `panels` are all of the source.
  /// invalidArgument where sizes do not fit the form.
  Status make(int64_t first, int64_t last, std::span<const std::byte> panels,
              std::span<std::byte> dst) const;

  /// Of bytes made out of panels whose hash is `sourceHash`; another one when the bytes
  /// that this build makes are others than those of builds before.
  uint64_t hash(uint64_t sourceHash) const;

private:
  std::variant<WinogradForm, PanelShape> form_;
};

} // namespace hexin

#endif // HEXIN_RUNTIME_ARTIFACT_DERIVEDWEIGHTS_H
