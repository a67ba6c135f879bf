//===- Ops.h - the op classes of the hx dialect --------------------------------===//
#ifndef HEXIN_COMPILER_IR_OPS_H
#define HEXIN_COMPILER_IR_OPS_H

#include "compiler/ir/Dialect.h"
#include "compiler/ir/Interfaces.h"

#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/Interfaces/ControlFlowInterfaces.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#define GET_OP_CLASSES
#include "compiler/ir/Ops.h.inc"

#endif // HEXIN_COMPILER_IR_OPS_H
