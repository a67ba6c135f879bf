//===- HostScalars.h - shape operands inside a kernel -----------------------===//
#ifndef HEXIN_COMPILER_CODEGEN_ELEMENTS_HOSTSCALARS_H
#define HEXIN_COMPILER_CODEGEN_ELEMENTS_HOSTSCALARS_H

#include "compiler/codegen/KernelBuilder.h"

namespace hexin::codegen {

/// The contents of an operand that the host reads (starts, pads) as kernel scalars;
/// empty when the symbol table does not have them.
inline llvm::SmallVector<KExpr> hostScalars(KernelBuilder &k, mlir::Value operand) {
  llvm::SmallVector<KExpr> result;
  if (std::optional<hx::Dims> contents = k.shapes().contents(operand))
    for (hx::Dim dim : *contents)
      result.push_back(k.size(dim));
  return result;
}

} // namespace hexin::codegen

#endif // HEXIN_COMPILER_CODEGEN_ELEMENTS_HOSTSCALARS_H
