#include "backends/cuda/compiler/LowerToNvvm.h"

#include "backends/cuda/abi/PtxText.h"
#include "backends/cuda/compiler/AssemblerHints.h"
#include "backends/cuda/compiler/KernelForm.h"
#include "backends/cuda/compiler/LowerMatrices.h"
#include "backends/cuda/compiler/LowerMemory.h"
#include "compiler/codegen/LowerMath.h"

#include "mlir/Conversion/ArithToLLVM/ArithToLLVM.h"
#include "mlir/Conversion/ControlFlowToLLVM/ControlFlowToLLVM.h"
#include "mlir/Conversion/FuncToLLVM/ConvertFuncToLLVMPass.h"
#include "mlir/Conversion/MathToLLVM/MathToLLVM.h"
#include "mlir/Conversion/ReconcileUnrealizedCasts/ReconcileUnrealizedCasts.h"
#include "mlir/Conversion/SCFToControlFlow/SCFToControlFlow.h"
#include "mlir/Conversion/UBToLLVM/UBToLLVM.h"
#include "mlir/Conversion/VectorToLLVM/ConvertVectorToLLVMPass.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Transforms/Passes.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlow.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/NVGPU/IR/NVGPUDialect.h"
#include "mlir/Dialect/UB/IR/UBOps.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;

namespace hexin::cuda {
namespace {

using mlir::Value;

/// Lets multiplications fuse with additions. Done before math functions are
/// written out: theirs say themselves where they fuse.
void allowContraction(ModuleOp module) {
  auto contract =
      arith::FastMathFlagsAttr::get(module.getContext(), arith::FastMathFlags::contract);
  module.walk([&](Operation *op) {
    if (isa<arith::AddFOp, arith::SubFOp, arith::MulFOp>(op))
      op->setAttr("fastmath", contract);
  });
}

/// Special registers, as index values at one place of a kernel.
class Grid {
public:
  Grid(OpBuilder &b, Location loc) : b(b), loc(loc) {}

  template <typename RegisterOp> Value number() {
    Value number = RegisterOp::create(b, loc, b.getI32Type());
    return arith::IndexCastUIOp::create(b, loc, b.getIndexType(), number);
  }
  Value mul(Value x, Value y) { return arith::MulIOp::create(b, loc, x, y); }
  Value add(Value x, Value y) { return arith::AddIOp::create(b, loc, x, y); }

private:
  OpBuilder &b;
  Location loc;
};

void strideOverGrid(const KernelForm &form) {
  scf::ForOp items = form.items;
  OpBuilder b(items);
  Grid grid(b, items.getLoc());
  Value first = grid.number<NVVM::BlockIdXOp>(), step = grid.number<NVVM::GridDimXOp>();
  if (form.teamThreads == 0) {
    Value threads = grid.number<NVVM::BlockDimXOp>();
    first = grid.add(grid.mul(first, threads), grid.number<NVVM::ThreadIdXOp>());
    step = grid.mul(step, threads);
  }
  items.setLowerBound(first);
  items.setStep(step);
}

/// KernelForm has seen that it is of a whole warp.
void lowerShuffle(gpu::ShuffleOp shuffle, OpBuilder &b) {
  auto constant = [&](int32_t value) -> Value {
    return LLVM::ConstantOp::create(b, shuffle.getLoc(), b.getI32Type(),
                                    b.getI32IntegerAttr(value));
  };
  Value theirs = NVVM::ShflOp::create(
      b, shuffle.getLoc(), shuffle.getValue().getType(), /*thread_mask=*/constant(-1),
      shuffle.getValue(), shuffle.getOffset(),
      /*mask_and_clamp=*/constant(warpThreads - 1), NVVM::ShflKind::bfly, UnitAttr());
  shuffle.getShuffleResult().replaceAllUsesWith(theirs);
}

void lowerTeamOps(func::FuncOp kernel) {
  SmallVector<Operation *> ops;
  kernel.walk([&](Operation *op) {
    if (isa<gpu::ThreadIdOp, gpu::BarrierOp, gpu::ShuffleOp>(op))
      ops.push_back(op);
  });
  for (Operation *op : ops) {
    OpBuilder b(op);
    if (isa<gpu::BarrierOp>(op))
      NVVM::Barrier0Op::create(b, op->getLoc());
    else if (auto shuffle = dyn_cast<gpu::ShuffleOp>(op))
      lowerShuffle(shuffle, b);
    else
      op->replaceAllUsesWith(
          ValueRange(Grid(b, op->getLoc()).number<NVVM::ThreadIdXOp>()));
    op->erase();
  }
}

/// Sums and the like over the lanes of a vector, in their order.
void expandReductions(ModuleOp module) {
  SmallVector<vector::ReductionOp> ops;
  module.walk([&](vector::ReductionOp op) { ops.push_back(op); });
  for (vector::ReductionOp op : ops) {
    OpBuilder b(op);
    Value result = op.getAcc();
    auto lanes = vector::ToElementsOp::create(b, op.getLoc(), op.getVector());
    for (Value lane : lanes.getElements())
      result = result ? vector::makeArithReduction(b, op.getLoc(), op.getKind(), result,
                                                   lane, op.getFastmathAttr())
                      : lane;
    op.replaceAllUsesWith(result);
    op.erase();
  }
}

/// One instruction for f32, where arith-expand would write three.
void lowerExtrema(ModuleOp module) {
  SmallVector<Operation *> ops;
  module.walk([&](Operation *op) {
    if (isa<arith::MaximumFOp, arith::MinimumFOp>(op) &&
        getElementTypeOrSelf(op->getResult(0)).isF32())
      ops.push_back(op);
  });
  for (Operation *op : ops) {
    OpBuilder b(op);
    Value x = op->getOperand(0), y = op->getOperand(1), result;
    if (isa<arith::MaximumFOp>(op))
      result = LLVM::MaximumOp::create(b, op->getLoc(), x, y);
    else
      result = LLVM::MinimumOp::create(b, op->getLoc(), x, y);
    op->replaceAllUsesWith(ValueRange(result));
    op->erase();
  }
}

/// f16 and bf16 are stored narrow and computed in f32, as on every target.
LogicalResult widenNarrowFloats(ModuleOp module) {
  PassManager passes(module.getContext());
  arith::ArithEmulateUnsupportedFloatsOptions options;
  options.sourceTypeStrs = {"f16", "bf16"};
  options.targetTypeStr = "f32";
  passes.addNestedPass<func::FuncOp>(arith::createArithEmulateUnsupportedFloats(options));
  return passes.run(module);
}

/// What is for readers of the form only.
void dropFormAttributes(func::FuncOp kernel) {
  for (StringRef name : {"hx.writes", "hx.bindings", "hx.params", "hx.alignments",
                         "hx.param_multiples", "hx.team_threads", "hx.local_bytes"})
    kernel->removeAttr(name);
}

void addPasses(PassManager &passes) {
  passes.addNestedPass<func::FuncOp>(createCanonicalizerPass());
  passes.addNestedPass<func::FuncOp>(createCSEPass());
  passes.addNestedPass<func::FuncOp>(arith::createArithExpandOpsPass());
  passes.addNestedPass<func::FuncOp>(createSCFToControlFlowPass());
  passes.addPass(createConvertVectorToLLVMPass());
  passes.addPass(createConvertFuncToLLVMPass());
  passes.addPass(createConvertControlFlowToLLVMPass());
  passes.addPass(createConvertMathToLLVMPass());
  passes.addPass(createArithToLLVMConversionPass());
  passes.addPass(createUBToLLVMConversionPass());
  passes.addPass(createReconcileUnrealizedCastsPass());
}

} // namespace

void loadKernelDialects(MLIRContext &context) {
  context.loadDialect<arith::ArithDialect, cf::ControlFlowDialect, func::FuncDialect,
                      gpu::GPUDialect, LLVM::LLVMDialect, math::MathDialect,
                      memref::MemRefDialect, nvgpu::NVGPUDialect, NVVM::NVVMDialect,
                      scf::SCFDialect, ub::UBDialect, vector::VectorDialect>();
}

LogicalResult lowerToNvvm(ModuleOp module) {
  SmallVector<std::pair<func::FuncOp, KernelForm>> kernels;
  for (Operation &op : module.getBody()->getOperations()) {
    auto kernel = dyn_cast<func::FuncOp>(op);
    if (!kernel || kernel.isExternal())
      return op.emitError("expected kernels with a body only");
    FailureOr<KernelForm> form = readKernelForm(kernel);
    if (failed(form))
      return failure();
    kernels.push_back({kernel, *form});
  }
  allowContraction(module);
  if (failed(lowerMath(module, Underflow::quick)) || failed(lowerRemainder(module)) ||
      failed(widenNarrowFloats(module)))
    return failure();
  expandReductions(module);
  lowerExtrema(module);
  llvm::StringMap<KernelForm> forms;
  llvm::StringMap<int32_t> blocks;
  for (auto &[kernel, form] : kernels) {
    blocks[kernel.getName()] = wantedBlocks(form);
    if (form.items)
      strideOverGrid(form);
    keepLoops(kernel, form);
    lowerTeamOps(kernel);
    if (failed(lowerMemory(kernel, form.numBindings)) ||
        failed(lowerMatrixProducts(kernel)))
      return failure();
    Block &entry = kernel.getBody().front();
    entry.eraseArgument(entry.getNumArguments() - 2); // begin
    kernel.setFunctionType(
        FunctionType::get(module.getContext(), entry.getArgumentTypes(), {}));
    dropFormAttributes(kernel);
    forms[kernel.getName()] = form;
  }
  PassManager passes(module.getContext());
  addPasses(passes);
  if (failed(passes.run(module)))
    return failure();
  annotateBranches(module);
  for (auto entry : module.getOps<LLVM::LLVMFuncOp>())
    if (auto form = forms.find(entry.getName()); form != forms.end())
      markAsEntry(entry, form->second, blocks.lookup(entry.getName()));
  return success();
}

} // namespace hexin::cuda
