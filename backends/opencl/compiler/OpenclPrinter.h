//===- OpenclPrinter.h - a kernel module as OpenCL C 1.2 text ----------------===//
#ifndef HEXIN_BACKENDS_OPENCL_COMPILER_OPENCLPRINTER_H
#define HEXIN_BACKENDS_OPENCL_COMPILER_OPENCLPRINTER_H

#include "mlir/IR/BuiltinOps.h"

#include <string>

namespace hexin::opencl {

/// The text of every kernel of `module` (form: compiler/target/Target.h, math
/// already lowered). Deterministic: equal modules give equal text. What OpenCL C
/// cannot say is diagnosed at its op.
mlir::FailureOr<std::string> printOpenclModule(mlir::ModuleOp module);

} // namespace hexin::opencl

#endif // HEXIN_BACKENDS_OPENCL_COMPILER_OPENCLPRINTER_H
