//===- ElementContents.h - element functions on symbolic contents -----------------===//
//
// What an element of a small integer tensor is when its operands' elements are
// expressions. A null Dim: not known.
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_COMPILER_IR_OPS_ELEMENTCONTENTS_H
#define HEXIN_COMPILER_IR_OPS_ELEMENTCONTENTS_H

#include "compiler/ir/Dialect.h"
#include "compiler/ir/Symbols.h"

namespace hexin::hx {

Dim computeUnary(SymbolTable &symbols, UnaryFn fn, Dim x);
/// `type` is the operands' element type: i1 makes bit functions logical, and a
/// float quotient is only known when it is exact.
Dim computeBinary(SymbolTable &symbols, BinaryFn fn, mlir::Type type, Dim a, Dim b);
Dim computeCast(SymbolTable &symbols, mlir::Type to, Dim x);

} // namespace hexin::hx

#endif // HEXIN_COMPILER_IR_OPS_ELEMENTCONTENTS_H
