//===- OneDnnCost.h - where oneDNN is faster than our kernels --------------------===//
#ifndef HEXIN_BACKENDS_CPU_COMPILER_ONEDNNCOST_H
#define HEXIN_BACKENDS_CPU_COMPILER_ONEDNNCOST_H

#include "compiler/ir/Ops.h"
#include "compiler/ir/SymbolicShapes.h"

namespace hexin::cpu {

struct FasterWhere {
  bool isNever = false;
  hx::Dim guard; ///< faster where it is not 0; null: everywhere
};

/// For an op that oneDNN takes, from its sizes alone: what is known of them now, and
/// in the guard what only the run will tell. `hasRelu`: in the epilogue (PostOps.h).
FasterWhere whereOneDnnIsFaster(mlir::Operation *op, bool hasRelu,
                                hx::SymbolicShapes &shapes);

} // namespace hexin::cpu

#endif // HEXIN_BACKENDS_CPU_COMPILER_ONEDNNCOST_H
