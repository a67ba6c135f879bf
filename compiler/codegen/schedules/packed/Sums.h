//===- Sums.h - the sums of one register tile -------------------------------===//
//
// A tile is R rows x V vectors of L lanes, R*V accumulators that stay in registers
// over the whole depth. One step of the depth loads V vectors of the panel once and
// one element of each row:
//
//   R = 2, V = 2:   acc[0][0] += x0 * p0    acc[0][1] += x0 * p1
//                   acc[1][0] += x1 * p0    acc[1][1] += x1 * p1
//
// Products of 8-bit integers are sums of floats, which are exact while they stay below
// 2^24, and a register multiplies as many floats as the machine has lanes for: chunks
// of 256 steps are summed in f32 (255 * 255 * 256 < 2^24) and added to an i32. Where the
// target multiplies them as integers, Words.h has their sums.
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_COMPILER_CODEGEN_SCHEDULES_PACKED_SUMS_H
#define HEXIN_COMPILER_CODEGEN_SCHEDULES_PACKED_SUMS_H

#include "compiler/codegen/schedules/packed/Item.h"

namespace hexin::codegen::packed {

struct Vectors {
  unsigned lanes;  ///< L
  unsigned perRow; ///< V
};

/// [row * perRow + vector]
using Accumulators = llvm::SmallVector<mlir::Value>;

/// The whole sum of each element of a tile, on top of `init`. The tile's columns start
/// at `columnInPanel`.
Accumulators sumTile(const Item &item, llvm::ArrayRef<Row> tile, mlir::ValueRange init,
                     Vectors vectors, mlir::Value columnInPanel);

/// 0, of any type.
mlir::Value zeros(KernelBuilder &k, mlir::Type type, unsigned lanes);

/// Where the elements of a tile's rows lie that a run multiplies.
struct RunRows {
  llvm::SmallVector<mlir::Value> bases; ///< of each row, in its memory
  /// i1, whether row r has anything to add; none: all have.
  llvm::SmallVector<mlir::Value> inside;
  llvm::SmallVector<mlir::Value> memory; ///< memref of each row; none: the lhs
};

/// acc[r] += rows[r][i] * panel[i] for i in [0, length), the panel's rows starting at
/// `position`.
Accumulators sumRun(const Item &item, const RunRows &rows, mlir::Value length,
                    mlir::Value position, mlir::ValueRange init, Vectors vectors);

/// The same over the whole depth, with weights of few bits.
Accumulators sumFewBits(const Item &item, llvm::ArrayRef<mlir::Value> bases,
                        mlir::Value columnInPanel, mlir::ValueRange init,
                        Vectors vectors);

/// Whether numbers of few bits may become floats in a workspace before they are
/// multiplied, and fit there into caches; that memory, for a panel; and their becoming
/// so.
bool paysToUnpack(const Item &item);
mlir::Value panelMemory(const Item &item);
void unpackPanel(const Item &item, const Item &unpacked);

/// What the windows of a tile's pixels lie in.
struct Image {
  /// Says also, where there are pads, which windows fit in x.
  Image(const Item &item, llvm::ArrayRef<Row> tile);

  mlir::Value height, width;
  mlir::Value rowPitch; ///< elements
  mlir::Value xInside;  ///< i1: every tap of every window; null: no pads
};
/// Element(s) of compute type in private scratch.
void storeScratch(KernelBuilder &k, mlir::Value buffer, mlir::Value at,
                  mlir::Value value);
mlir::Value loadScratch(KernelBuilder &k, mlir::Value buffer, mlir::Value at,
                        unsigned lanes);

/// i1: 0 <= `at` < `size`.
mlir::Value isInside(KernelBuilder &k, mlir::Value at, mlir::Value size);
mlir::Value allOf(KernelBuilder &k, llvm::ArrayRef<mlir::Value> conditions);
/// Elements from one row of the input to the next.
mlir::Value rowPitchOf(const Item &item);

/// Convolution: every tap is a run over the group's channels. `position`: in the panel.
Accumulators sumConv(const Item &item, llvm::ArrayRef<Row> tile, const Image &image,
                     mlir::Value position, mlir::ValueRange init, Vectors vectors);

/// Depthwise convolution: the lanes are channels, of input and output alike, from
/// the panel's column `columnInPanel` on.
Accumulators sumDepthwise(const Item &item, llvm::ArrayRef<Row> tile, const Image &image,
                          mlir::Value position, mlir::ValueRange init, Vectors vectors,
                          mlir::Value columnInPanel);
/// The same for one pixel, wherever it lies, starting from 0.
Accumulators sumPixel(const Item &item, const Row &row, Vectors vectors,
                      mlir::Value columnInPanel);
/// Its form for one tap: rows of the lhs start at `bases`, lanes at `channel`.
Accumulators sumTap(const Item &item, llvm::ArrayRef<mlir::Value> bases,
                    mlir::Value position, mlir::ValueRange init, Vectors vectors,
                    mlir::Value channel);

} // namespace hexin::codegen::packed

#endif // HEXIN_COMPILER_CODEGEN_SCHEDULES_PACKED_SUMS_H
