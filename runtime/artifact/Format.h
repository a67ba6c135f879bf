//===- Format.h - the generated format, and what goes with it --------------------===//
#ifndef HEXIN_RUNTIME_ARTIFACT_FORMAT_H
#define HEXIN_RUNTIME_ARTIFACT_FORMAT_H

#include "runtime/artifact/hexin_generated.h"

#include <cstdint>

namespace hexin::fmt {

/// Bits of `required_features`, in headers and programs: Kernel.team_threads; values
/// that are no tensors of numbers, and the host instructions that make them;
/// Kernel.workspace_bytes; Weight.derived_from.
inline constexpr uint64_t teamKernelsFeature = 1 << 0;
inline constexpr uint64_t hostValuesFeature = 1 << 1;
inline constexpr uint64_t workspaceFeature = 1 << 2;
inline constexpr uint64_t derivedWeightsFeature = 1 << 3;
/// Those that this build knows.
inline constexpr uint64_t knownFeatures =
    teamKernelsFeature | hostValuesFeature | workspaceFeature | derivedWeightsFeature;

/// Types of ports hold others no deeper than this.
inline constexpr uint32_t maxTypeDepth = 8;

/// Binding.value of an optional operand that is not there.
inline constexpr uint32_t absentOperand = 0xFFFFFFFF;

/// Elements of a vector or string that may be absent.
template <typename Vector> uint32_t sizeOf(const Vector *vector) {
  return vector ? vector->size() : 0;
}

} // namespace hexin::fmt

#endif // HEXIN_RUNTIME_ARTIFACT_FORMAT_H
