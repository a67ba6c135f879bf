//===- FewBits.h - numbers of 2, 4 or 8 bits in bytes, and their scales -------------===//
//
// Weights stay in their bytes. One matrix becomes hx.matmul_few_bits, whose kernels
// unpack in registers. Several matrices at once (experts), columns that choose their
// blocks (g_idx) and lookups are unpacked by elementwise ops, which join into one kernel
// that writes f32 in every run: constants of more than 64 KiB are not folded through a
// cast to i32, so artifacts hold what the model holds.
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_FRONTENDS_ONNX_OPS_MICROSOFT_FEWBITS_H
#define HEXIN_FRONTENDS_ONNX_OPS_MICROSOFT_FEWBITS_H

#include "frontends/onnx/OpBinder.h"

namespace hexin::onnx {

/// Unsigned numbers of `bits` (2, 4 or 8), low bits first: ui8 [..., n] as
/// i32 [..., n * 8 / bits].
Value unpackedBits(OpBinder &b, Value bytes, int64_t bits);

/// x [..., K] times scales [..., ceil(K / block)], one for `block` elements of x.
Value timesBlocks(OpBinder &b, Value x, Value scales, int64_t block);

struct FewBitWeights {
  Value bytes;      ///< ui8, rows of ceil(K / block) blocks of block * bits / 8 bytes
  Value scales;     ///< one a block
  Value zeroPoints; ///< one a block, of the scales' type, or ui8 and packed in rows of
                    ///< whole bytes; null for 2^(bits - 1)
  Value groups;     ///< i32 [K]: which block's scale a column has; null for its own
  int64_t bits = 4, block = 0;
};

/// x f32 [..., K] times the transpose of (number - zero point) * scale, [rows..., K] in
/// f32; what x and `rows` have before their last axes are the axes of a batch.
Value timesFewBits(OpBinder &b, Value x, const FewBitWeights &weights,
                   llvm::ArrayRef<hx::Dim> rows, int64_t numColumns);

/// Whether `bits` is 2, 4 or 8 and `block` a power of two from 16 on, as an error.
bool checkFewBits(OpBinder &b, int64_t bits, int64_t block);

} // namespace hexin::onnx

#endif // HEXIN_FRONTENDS_ONNX_OPS_MICROSOFT_FEWBITS_H
