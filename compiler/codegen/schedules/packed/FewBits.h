//===- FewBits.h - a panel of numbers of 2, 4 or 8 bits ---------------------===//
//
// The operands of hx.matmul_few_bits, each packed like a right-hand side [K, N]: in a
// panel of `width` columns lie
//
//   bytes   [K * bits / 8, width]    8 / bits numbers of a column in a byte
//   scales  [K / block, width]
//   zeros   [K / block, width] floats, or [ceil(K / block * bits / 8), width] bytes
//
// so that neighbouring lanes are neighbouring columns in all of them, and numbers become
// floats in registers: widen, shift, mask, convert. This is the one place that knows
// where a number lies.
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_COMPILER_CODEGEN_SCHEDULES_PACKED_FEWBITS_H
#define HEXIN_COMPILER_CODEGEN_SCHEDULES_PACKED_FEWBITS_H

#include "compiler/codegen/schedules/packed/Problem.h"

namespace hexin::codegen::packed {

class FewBitPanel {
public:
  /// Binds the operands. `panel`: which of the product's.
  FewBitPanel(ElementEmitter &emitter, const Problem &problem, mlir::Value panel);

  /// The numbers in byte `row` of `lanes` columns from `column` of the panel on, as
  /// floats of the type of sums: first that of the lowest bits.
  llvm::SmallVector<mlir::Value> loadNumbers(mlir::Value row, mlir::Value column,
                                             unsigned lanes) const;
  /// Of block number `block`, in the type of sums.
  mlir::Value loadScale(mlir::Value block, mlir::Value column, unsigned lanes) const;
  mlir::Value loadZero(mlir::Value block, mlir::Value column, unsigned lanes) const;

private:
  struct Table {
    mlir::Value memref, base;
    mlir::Type type; ///< of its elements, in hx
  };
  Table bind(ElementEmitter &emitter, mlir::Value operand, KExpr rows, mlir::Value panel);
  mlir::Value at(const Table &table, mlir::Value row, mlir::Value column) const;
  mlir::Value loadBytes(const Table &table, mlir::Value row, mlir::Value column,
                        unsigned lanes) const;
  /// The bits of i32 `bytes` from `shift` (null: 0) on, as floats.
  mlir::Value numbersAt(mlir::Value bytes, mlir::Value shift, bool isLast,
                        unsigned lanes) const;
  mlir::Value loadFloats(const Table &table, mlir::Value row, mlir::Value column,
                         unsigned lanes) const;

  KernelBuilder &k;
  const Problem &problem;
  const FewBits &format;
  Table bytes, scales, zeros;
};

} // namespace hexin::codegen::packed

#endif // HEXIN_COMPILER_CODEGEN_SCHEDULES_PACKED_FEWBITS_H
