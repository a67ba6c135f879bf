//===- Dialect.h - the hx dialect, its types and enums -------------------------===//
//
// Enums (UnaryFn, Layout, ...) come with `stringifyX`/`symbolizeX` and an
// attribute class XAttr.
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_COMPILER_IR_DIALECT_H
#define HEXIN_COMPILER_IR_DIALECT_H

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpImplementation.h"

#include "compiler/ir/Dialect.h.inc"
#include "compiler/ir/Enums.h.inc"

#define GET_ATTRDEF_CLASSES
#include "compiler/ir/Attributes.h.inc"

#define GET_TYPEDEF_CLASSES
#include "compiler/ir/Types.h.inc"

#endif // HEXIN_COMPILER_IR_DIALECT_H
