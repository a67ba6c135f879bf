//===- Operations.h - how much a group computes ------------------------------===//
#ifndef HEXIN_COMPILER_TARGET_OPERATIONS_H
#define HEXIN_COMPILER_TARGET_OPERATIONS_H

#include "compiler/ir/Ops.h"
#include "compiler/ir/SymbolicShapes.h"

namespace hexin {

/// The operations of the products in `group`, two for each multiply-add, padding taps
/// included: what the definition asks for, however a kernel computes it. Null: the group
/// has none, and what it costs is the memory it moves.
hx::Dim operationsOf(hx::GroupOp group, hx::SymbolicShapes &shapes);

} // namespace hexin

#endif // HEXIN_COMPILER_TARGET_OPERATIONS_H
