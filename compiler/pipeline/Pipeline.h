//===- Pipeline.h - the phases between import and the artifact --------------===//
#ifndef HEXIN_COMPILER_PIPELINE_PIPELINE_H
#define HEXIN_COMPILER_PIPELINE_PIPELINE_H

#include "compiler/target/Partition.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Support/LLVM.h"

#include <string>

namespace hexin {

struct PipelineOptions {
  bool verifyEach = false; ///< check the IR after every pass
  PlacementOptions placement;
};

/// Target-independent: what is portable, and what `--emit=optimized` shows.
mlir::LogicalResult optimize(mlir::ModuleOp module, const PipelineOptions &options);

/// From the optimised module to groups with schedules (`--emit=placed`).
mlir::LogicalResult place(mlir::ModuleOp module, const PipelineOptions &options);

/// Collects diagnostics for as long as it lives; `text` joins them.
class DiagnosticCollector {
public:
  explicit DiagnosticCollector(mlir::MLIRContext *context);
  ~DiagnosticCollector();
  const std::string &text() const { return collected; }

private:
  mlir::MLIRContext *context;
  uint64_t handler;
  std::string collected;
};

} // namespace hexin

#endif // HEXIN_COMPILER_PIPELINE_PIPELINE_H
