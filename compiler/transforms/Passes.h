//===- Passes.h - the shared passes over hx ---------------------------------------===//
//
// Passes.td says what each requires and ensures. `createFooBarPass()` makes one,
// `registerHxPasses()` puts all of them on hexin-opt's command line.
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_COMPILER_TRANSFORMS_PASSES_H
#define HEXIN_COMPILER_TRANSFORMS_PASSES_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"

#include <memory>

namespace hexin::hx {

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "compiler/transforms/Passes.h.inc"

} // namespace hexin::hx

#endif // HEXIN_COMPILER_TRANSFORMS_PASSES_H
