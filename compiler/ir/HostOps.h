//===- HostOps.h - the op classes of values that live on the host ---------------===//
#ifndef HEXIN_COMPILER_IR_HOSTOPS_H
#define HEXIN_COMPILER_IR_HOSTOPS_H

#include "compiler/ir/Ops.h"

namespace hexin::hx {

/// The op runs on the host on any target, and its operands may be values that are no
/// tensors.
template <typename ConcreteOp>
class HxOnHost : public mlir::OpTrait::TraitBase<ConcreteOp, HxOnHost> {};

/// Whether `op` runs on the host on any target: it makes or takes values that live
/// nowhere else. Not constants, sizes, and what has regions or ends them.
bool isHostOp(mlir::Operation *op);

} // namespace hexin::hx

#define GET_OP_CLASSES
#include "compiler/ir/HostOps.h.inc"

#endif // HEXIN_COMPILER_IR_HOSTOPS_H
