//===- Multiples.h - what an index of a kernel is a multiple of ----------------===//
#ifndef HEXIN_COMPILER_CODEGEN_MULTIPLES_H
#define HEXIN_COMPILER_CODEGEN_MULTIPLES_H

#include "mlir/IR/Value.h"
#include "llvm/ADT/STLFunctionalExtras.h"

namespace hexin::codegen {

/// Whether the index value `position` is a multiple of `factor`, a power of two, on
/// whatever the kernel runs. `ofParam` gives the largest power of two, up to `factor`,
/// that a param is known to be a multiple of; it is asked about those that count.
/// For `item * 4 + row * %p0` and 4 that is %p0.
bool isMultipleOf(mlir::Value position, unsigned factor,
                  llvm::function_ref<unsigned(mlir::BlockArgument)> ofParam);

} // namespace hexin::codegen

#endif // HEXIN_COMPILER_CODEGEN_MULTIPLES_H
