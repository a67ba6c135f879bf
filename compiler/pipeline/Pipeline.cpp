#include "compiler/pipeline/Pipeline.h"

#include "compiler/target/Attention.h"
#include "compiler/target/Partition.h"
#include "compiler/transforms/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;

namespace hexin {

static void simplify(OpPassManager &passes) {
  passes.addPass(hx::createInferShapesPass());
  passes.addPass(createCanonicalizerPass());
  passes.addPass(createCSEPass());
}

LogicalResult optimize(ModuleOp module, const PipelineOptions &options) {
  PassManager passes(module.getContext());
  passes.enableVerifier(options.verifyEach);
  simplify(passes);
  passes.addPass(hx::createFoldConstantsPass({/*keepNarrow=*/true}));
  passes.addNestedPass<func::FuncOp>(hx::createFoldBatchNormPass());
  passes.addNestedPass<func::FuncOp>(hx::createFlattenDepthPass());
  passes.addPass(hx::createFoldConstantsPass({/*keepNarrow=*/true}));
  passes.addNestedPass<func::FuncOp>(hx::createDropTinyWeightsPass());
  passes.addNestedPass<func::FuncOp>(hx::createFoldIfPass());
  simplify(passes);
  return passes.run(module);
}

/// Packs operands, settles host values, checks the target contract and forms the groups.
static LogicalResult group(ModuleOp module, const PipelineOptions &options) {
  PassManager passes(module.getContext());
  passes.enableVerifier(options.verifyEach);
  // Only schedules over panels read panels.
  if (!llvm::is_contained(options.placement.disabled, "packed")) {
    passes.addNestedPass<func::FuncOp>(hx::createProjectRecurrentPass());
    if (options.placement.bfloatProducts) {
      passes.addNestedPass<func::FuncOp>(hx::createBfloatProductsPass(
          {!llvm::is_contained(options.placement.disabled, bfloatSignals)}));
      passes.addPass(hx::createFoldConstantsPass());
      passes.addPass(createCSEPass());
    }
    passes.addNestedPass<func::FuncOp>(
        hx::createPackOperandsPass({options.placement.bfloatProducts}));
  }
  passes.addPass(hx::createFoldConstantsPass());
  passes.addNestedPass<func::FuncOp>(hx::createResolveShapesPass());
  passes.addPass(createCSEPass());
  passes.addNestedPass<func::FuncOp>(hx::createMaterializeResultsPass());
  passes.addPass(hx::createInferShapesPass());
  passes.addNestedPass<func::FuncOp>(hx::createVerifyTargetContractPass());
  if (failed(passes.run(module)))
    return failure();
  for (auto func : module.getOps<func::FuncOp>())
    if (failed(partition(func, options.placement)))
      return failure();
  return success();
}

LogicalResult place(ModuleOp module, const PipelineOptions &options) {
  PassManager passes(module.getContext());
  passes.enableVerifier(options.verifyEach);
  passes.addNestedPass<func::FuncOp>(hx::createSplitComplexPass());
  if (options.placement.narrowProducts) {
    passes.addNestedPass<func::FuncOp>(hx::createIntegerProductsPass());
    passes.addNestedPass<func::FuncOp>(
        hx::createNarrowWeightsPass({options.placement.quantisesInputs}));
  }
  passes.addNestedPass<func::FuncOp>(hx::createExpandCompactPass());
  passes.addNestedPass<func::FuncOp>(hx::createExpandResizePass());
  passes.addNestedPass<func::FuncOp>(hx::createRowsLastPass());
  passes.addNestedPass<func::FuncOp>(hx::createChannelsLastPass());
  passes.addPass(hx::createFoldConstantsPass()); // weights with a height
  passes.addNestedPass<func::FuncOp>(hx::createConvTransposeToMatMulPass());
  passes.addNestedPass<func::FuncOp>(hx::createConvTransposeToConvPass());
  passes.addPass(hx::createFoldConstantsPass());
  simplify(passes);
  if (failed(passes.run(module)))
    return failure();
  for (auto func : module.getOps<func::FuncOp>())
    if (failed(markFallbacks(func, options.placement)))
      return failure();
  if (int64_t fewest = options.placement.fewestQueries)
    for (auto func : module.getOps<func::FuncOp>()) {
      hx::SymbolicShapes shapes(func.getContext());
      if (failed(shapes.run(func)))
        return failure();
      markAttention(func, shapes, fewest);
    }
  return group(module, options);
}

DiagnosticCollector::DiagnosticCollector(MLIRContext *context) : context(context) {
  handler = context->getDiagEngine().registerHandler([this](Diagnostic &diagnostic) {
    if (diagnostic.getSeverity() != DiagnosticSeverity::Error)
      return success();
    llvm::raw_string_ostream os(collected);
    if (!collected.empty())
      os << "\n";
    os << diagnostic.str();
    return success();
  });
}

DiagnosticCollector::~DiagnosticCollector() {
  context->getDiagEngine().eraseHandler(handler);
}

} // namespace hexin
