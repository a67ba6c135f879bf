//===- Interfaces.h - what every hx op can be asked ----------------------------===//
#ifndef HEXIN_COMPILER_IR_INTERFACES_H
#define HEXIN_COMPILER_IR_INTERFACES_H

#include "mlir/IR/OpDefinition.h"

namespace hexin::hx {
class ShapeContext;

/// Whether the op computes each result element from the elements of its operands
/// at the same (broadcast) position, so that an element emitter takes it.
template <typename ConcreteOp>
class HxElementwise : public mlir::OpTrait::TraitBase<ConcreteOp, HxElementwise> {};

/// Checks the result types of `op` against its shape function, with nothing known
/// but the operand types and constant operands.
mlir::LogicalResult verifyShapes(mlir::Operation *op);
} // namespace hexin::hx

#include "compiler/ir/Interfaces.h.inc"

#endif // HEXIN_COMPILER_IR_INTERFACES_H
