//===- Lines.h - items that own lines along one axis ------------------------===//
#ifndef HEXIN_COMPILER_CODEGEN_SCHEDULES_LINES_H
#define HEXIN_COMPILER_CODEGEN_SCHEDULES_LINES_H

#include "compiler/codegen/KernelBuilder.h"

namespace hexin::codegen {

/// Opens the loop over items, each of which owns `block` neighbours along the last axis
/// of a tensor of `sizes`, and calls body(at, width) for `width` <= `lanes` of them at a
/// time, at.back() being the first.
void forEachBlock(
    KernelBuilder &k, llvm::ArrayRef<KExpr> sizes, int64_t block, unsigned lanes,
    llvm::function_ref<void(llvm::MutableArrayRef<mlir::Value> at, unsigned width)> body);

/// Opens the loop over items and calls body(at, width) once for every line along
/// `axis` of a tensor of `sizes`; the body sets at[axis]. Along the last axis an
/// item is one line and `width` is 1. Along any other an item owns a block of
/// neighbouring lines, walked `width` <= `lanes` at a time, at.back() being the
/// first of them.
void forEachLine(
    KernelBuilder &k, llvm::ArrayRef<KExpr> sizes, size_t axis, unsigned lanes,
    llvm::function_ref<void(llvm::MutableArrayRef<mlir::Value> at, unsigned width)> body);

} // namespace hexin::codegen

#endif // HEXIN_COMPILER_CODEGEN_SCHEDULES_LINES_H
