//===- MatrixShape.h - the tiles of attention by small matrices --------------------===//
#ifndef HEXIN_COMPILER_CODEGEN_SCHEDULES_ATTENTION_MATRIXSHAPE_H
#define HEXIN_COMPILER_CODEGEN_SCHEDULES_ATTENTION_MATRIXSHAPE_H

#include "compiler/codegen/HalfMatrices.h"
#include "compiler/codegen/KernelModule.h"

#include <algorithm>
#include <optional>

namespace hexin::codegen::by_matrices {

inline constexpr unsigned matrixRows = 16, matrixColumns = 8, depth = 16, padding = 8;
inline constexpr unsigned chunk = 8; ///< halfs that a thread copies at a time
/// Of a row's result, in the registers of one warp.
inline constexpr unsigned mostColumns = 128;
inline constexpr unsigned mostFeatures = 2 * mostColumns;

inline unsigned padded(unsigned count) { return (count + depth - 1) / depth * depth; }

/// What a team and its warps work on at a time.
struct MatrixShape {
  unsigned warps = 4, tileKeys = 32;
  unsigned features = depth, valueFeatures = depth; ///< multiples of 16

  /// Warps that share rows.
  unsigned parts() const { return valueFeatures > mostColumns ? 2 : 1; }
  unsigned columns() const { return padded(valueFeatures / parts()); }
  unsigned queries() const { return warps / parts() * matrixRows; }
  unsigned threads() const { return warps * warpThreads; }
  unsigned pitch() const { return features + padding; }
  unsigned valuePitch() const { return columns() * parts() + padding; }
  /// Of keys that stand in memory feature by feature.
  unsigned keyPitch() const { return tileKeys + padding; }
  unsigned keyElements() const {
    return std::max(tileKeys * pitch(), features * keyPitch());
  }
  unsigned localBytes() const {
    return 2 * (queries() * pitch() + keyElements() + tileKeys * valuePitch());
  }
};

/// The largest that fits the team; nullopt: none does.
inline std::optional<MatrixShape>
chooseMatrixShape(const TeamTraits &team, unsigned features, unsigned valueFeatures) {
  if (std::max(features, valueFeatures) > mostFeatures)
    return std::nullopt;
  for (unsigned tileKeys : {32u, 16u}) {
    MatrixShape shape{4, tileKeys, padded(features), padded(valueFeatures)};
    if (shape.threads() <= team.threads && shape.localBytes() <= team.localBytes)
      return shape;
  }
  return std::nullopt;
}

} // namespace hexin::codegen::by_matrices

#endif // HEXIN_COMPILER_CODEGEN_SCHEDULES_ATTENTION_MATRIXSHAPE_H
