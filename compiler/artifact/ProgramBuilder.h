//===- ProgramBuilder.h - a partitioned function as a program of the artifact -===//
#ifndef HEXIN_COMPILER_ARTIFACT_PROGRAMBUILDER_H
#define HEXIN_COMPILER_ARTIFACT_PROGRAMBUILDER_H

#include "compiler/artifact/WeightSection.h"
#include "compiler/target/Target.h"
#include "runtime/artifact/hexin_generated.h"

#include "hexin/status.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/OwningOpRef.h"

#include <memory>
#include <vector>

namespace hexin {

/// A program without its images, and the kernels to make them of: one module per
/// entry of the target's variants().
struct BuiltProgram {
  std::unique_ptr<fmt::ProgramT> program;
  std::vector<mlir::OwningOpRef<mlir::ModuleOp>> kernels;
};

/// Writes kernels and instructions for `func` (after hx-partition). Constants go
/// to `weights`. Failures name the op.
Result<BuiltProgram> buildProgram(mlir::func::FuncOp func, Target &target,
                                  WeightSection &weights);

/// "conv1+bn1+relu1": the source nodes an op came from.
std::string nodeNames(mlir::Location loc);

} // namespace hexin

#endif // HEXIN_COMPILER_ARTIFACT_PROGRAMBUILDER_H
