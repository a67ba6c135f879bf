//===- Item.h - one work item of a packed kernel ----------------------------===//
//
// An item owns a block of rows and a panel of columns of one product. This is where
// its operands lie; Sums.h computes from them, Tile.h writes what comes out.
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_COMPILER_CODEGEN_SCHEDULES_PACKED_ITEM_H
#define HEXIN_COMPILER_CODEGEN_SCHEDULES_PACKED_ITEM_H

#include "compiler/codegen/schedules/packed/FewBits.h"

namespace hexin::codegen::packed {

class Words;

/// One row of a register tile.
struct Row {
  mlir::Value flat; ///< row number within the matrix (pixels: n*oh*ow)
  mlir::Value base; ///< position of its first element in the lhs
  mlir::Value y, x; ///< conv with a window: input coordinates of tap (0, 0), may be < 0
};

struct Item {
  /// Binds the operands. `outerIndex`: which product; `panel`: which panel of its rhs.
  Item(ElementEmitter &emitter, const Problem &problem, mlir::Value outerIndex,
       mlir::Value panel);

  /// The same item with its panel as floats in `memory`.
  Item(const Item &item, const Problem &floats, mlir::Value memory);

  Row rowAt(mlir::Value flat) const;
  /// Of output pixel `at` = [n, y, x], which need not be one of the image's.
  Row rowOfPixel(mlir::Value flat, llvm::ArrayRef<mlir::Value> at) const;
  /// `count` rows, one after the other: but for the first no division.
  llvm::SmallVector<Row> rowsFrom(mlir::Value firstRow, unsigned count) const;
  /// The same by a loop over all rows of [begin, end).
  void forEachRow(mlir::Value begin, mlir::Value end,
                  llvm::function_ref<void(const Row &)> body) const;
  /// Elements of the lhs and of the panel in the type of sums, without zero points.
  mlir::Value loadLhs(mlir::Value position, unsigned lanes) const {
    return loadLhs(lhsMemref, position, lanes);
  }
  /// The same from other memory with elements of the lhs.
  mlir::Value loadLhs(mlir::Value memory, mlir::Value position, unsigned lanes) const;
  mlir::Value loadPanel(mlir::Value position, unsigned lanes) const;
  /// Which of the `numTiles` tiles that read the whole panel one after the other, or
  /// more, `tile` is: each has its share of the next panel brought near.
  void sharePrefetch(mlir::Value tile, int64_t numTiles);
  /// Brings near what of it is due while `steps` rows of the panel from `position` on are
  /// read; nothing where it is not shared out.
  void prefetchNextPanel(mlir::Value position, int64_t steps) const;
  /// The operands' bindings.
  mlir::Value lhsMemory() const { return lhsMemref; }
  mlir::Value panelMemory() const { return rhsMemref; }
  /// In the type of sums; null for none.
  mlir::Value lhsZeroPoint() const { return lhsZero; }
  mlir::Value rhsZeroPoint() const { return rhsZero; }

  KernelBuilder &k;
  const Problem &problem;
  mlir::Value outerIndex;
  mlir::Value lhsBase;                ///< of the product's left matrix, in the lhs
  mlir::Value panelBase;              ///< of the panel, in the rhs
  mlir::Value firstColumn;            ///< of the panel, in the product
  std::optional<FewBitPanel> fewBits; ///< instead of panelBase and loadPanel
  bool prefetches = false;            ///< whether panels are brought near ahead
  const Words *words = nullptr;       ///< what is multiplied instead, where set
  /// memref: as many zeros as a tap has channels (depthwise: as a panel has), what lies
  /// in a convolution's pads; null: the target or the problem has none.
  mlir::Value zeroChannels;

private:
  void makeZeroChannels();
  /// Whether a row is an output pixel with a window around it, [n, y, x].
  bool hasPixels() const { return problem.conv && !problem.isPointwise; }
  llvm::SmallVector<mlir::Value> nextPixel(llvm::ArrayRef<mlir::Value> at) const;

  mlir::Value lhsMemref, rhsMemref;
  mlir::Type panelType;         ///< of the panel's elements, in hx
  mlir::Value panelSize;        ///< elements
  int64_t numShares = 1;        ///< of the next panel, a power of two
  mlir::Value prefetchBase;     ///< of the share of the tile at hand, or null
  mlir::Value lhsZero, rhsZero; ///< in the type of sums, or null
};

} // namespace hexin::codegen::packed

#endif // HEXIN_COMPILER_CODEGEN_SCHEDULES_PACKED_ITEM_H
