//===- ByteTiles.h - registers that hold tiles of 8-bit integers ----------------------===//
//
// Where CodegenTraits::wordDots is `tiles`, a processor has eight registers of 16 rows of
// 64 bytes (AMX). One instruction multiplies a left one of 16 rows of 64 unsigned numbers
// by a right one of 16 rows of 16 words (quads, WordDots.h: word g of column n has the
// steps 4 g .. 4 g + 3) and adds to 16 x 16 sums of 32 bits. Where bfloatDots is, another
// does so with pairs of bf16 in the words of both, and sums in f32. Registers are named
// by number; they are there between configureTiles and releaseTiles.
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_COMPILER_CODEGEN_BYTETILES_H
#define HEXIN_COMPILER_CODEGEN_BYTETILES_H

#include "compiler/codegen/KernelBuilder.h"

namespace hexin::codegen {

constexpr int64_t tileRows = 16;  ///< and words in a row
constexpr int64_t tileBytes = 64; ///< of a row

void configureTiles(KernelBuilder &k);
void releaseTiles(KernelBuilder &k);

void zeroTile(KernelBuilder &k, unsigned tile);
/// 16 rows of 64 bytes from element `position` of `memref` on, `pitch` bytes apart.
void loadTile(KernelBuilder &k, unsigned tile, mlir::Value memref, mlir::Value position,
              mlir::Value pitch);
void storeTile(KernelBuilder &k, unsigned tile, mlir::Value memref, mlir::Value position,
               mlir::Value pitch);
/// sums += left * right, of bytes or of bf16
void addTileProduct(KernelBuilder &k, unsigned sums, unsigned left, unsigned right,
                    bool ofBfloats);

} // namespace hexin::codegen

#endif // HEXIN_COMPILER_CODEGEN_BYTETILES_H
