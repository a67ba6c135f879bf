//===- Tile.h - one register tile, from its sums to memory ------------------===//
#ifndef HEXIN_COMPILER_CODEGEN_SCHEDULES_PACKED_TILE_H
#define HEXIN_COMPILER_CODEGEN_SCHEDULES_PACKED_TILE_H

#include "compiler/codegen/schedules/packed/Sums.h"

namespace hexin::codegen::packed {

/// Bias, the ops fused behind, and the store. The emitter reads the heavy op's result
/// from here, one tile element (or vector) after the other.
class Epilogue {
public:
  /// Takes over `heavy`'s result and merges the axes of what follows it.
  Epilogue(ElementEmitter &emitter, const Problem &problem, mlir::Operation *heavy);

  /// Finishes `sum`: `lanes` columns from `column` on of one row of the product, one by
  /// one where the ops behind take no vectors.
  void write(const Item &item, const Row &row, mlir::Value column, mlir::Value sum,
             unsigned lanes);
  /// Whether the ops behind take vectors of several lanes.
  bool takesVectors() const { return emitter.lanes() > 1; }

private:
  ElementEmitter &emitter;
  const Problem &problem;
  llvm::SmallVector<KExpr> rootSizes;
  mlir::Value current; ///< what the heavy op's result is, while `write` runs
};

/// The tile of `numRows` rows from `firstRow` on and of the columns from
/// `columnInPanel` on, those beyond the product's last column left out; `isWhole`: there
/// are none.
void emitTile(const Item &item, Epilogue &epilogue, Vectors vectors, mlir::Value firstRow,
              unsigned numRows, mlir::Value columnInPanel, bool isWhole);

/// The same for sums that lie in `buffer`, [numRows, columns of a tile].
void emitStoredTile(const Item &item, Epilogue &epilogue, Vectors vectors,
                    mlir::Value firstRow, unsigned numRows, mlir::Value buffer);

} // namespace hexin::codegen::packed

#endif // HEXIN_COMPILER_CODEGEN_SCHEDULES_PACKED_TILE_H
