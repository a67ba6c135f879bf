#include "compiler/ir/HostOps.h"

#include "compiler/ir/ValueTypes.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/OpImplementation.h"

using namespace mlir;

bool hexin::hx::isHostOp(Operation *op) {
  if (op->getNumRegions() != 0 || op->hasTrait<OpTrait::IsTerminator>() ||
      isa<ConstantOp, WeightOp, ShapeOfOp>(op))
    return false;
  return op->hasTrait<HxOnHost>() || llvm::any_of(op->getOperandTypes(), isHostType) ||
         llvm::any_of(op->getResultTypes(), isHostType);
}

#define GET_OP_CLASSES
#include "compiler/ir/HostOps.cpp.inc"
