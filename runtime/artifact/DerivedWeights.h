//===- DerivedWeights.h - weights that are made out of others ------------------===//
//
// A weight with `derived_from` >= 0 has no bytes in the file. They follow from the weight
// that it names and from its form alone, on every machine the same, so whoever has made
// them may keep them under derivedHash(). The one form so far is WinogradWeights.h.
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_RUNTIME_ARTIFACT_DERIVEDWEIGHTS_H
#define HEXIN_RUNTIME_ARTIFACT_DERIVEDWEIGHTS_H

#include "runtime/artifact/WinogradWeights.h"
#include "runtime/artifact/hexin_generated.h"

#include <cstdint>
#include <optional>

namespace hexin {

inline bool isDerived(const fmt::Weight &weight) { return weight.derived_from() >= 0; }

/// The form of a weight of encoding winograd; nullopt where sizes and fields do not fit.
std::optional<WinogradForm> winogradFormOf(const fmt::Weight &weight);

/// Of bytes made in `form` out of panels whose hash is `sourceHash`; another one when the
/// bytes that this build makes are others than those of builds before.
uint64_t derivedHash(uint64_t sourceHash, const WinogradForm &form);

} // namespace hexin

#endif // HEXIN_RUNTIME_ARTIFACT_DERIVEDWEIGHTS_H
