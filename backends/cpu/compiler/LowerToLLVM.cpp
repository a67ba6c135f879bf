#include "backends/cpu/compiler/LowerToLLVM.h"

#include "backends/cpu/compiler/ExactFma.h"
#include "backends/cpu/compiler/NarrowFloats.h"
#include "compiler/codegen/KernelModule.h"
#include "compiler/codegen/LowerMath.h"

#include "mlir/Conversion/ArithToLLVM/ArithToLLVM.h"
#include "mlir/Conversion/ControlFlowToLLVM/ControlFlowToLLVM.h"
#include "mlir/Conversion/FuncToLLVM/ConvertFuncToLLVMPass.h"
#include "mlir/Conversion/MathToLLVM/MathToLLVM.h"
#include "mlir/Conversion/MemRefToLLVM/MemRefToLLVM.h"
#include "mlir/Conversion/ReconcileUnrealizedCasts/ReconcileUnrealizedCasts.h"
#include "mlir/Conversion/SCFToControlFlow/SCFToControlFlow.h"
#include "mlir/Conversion/UBToLLVM/UBToLLVM.h"
#include "mlir/Conversion/VectorToLLVM/ConvertVectorToLLVMPass.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Transforms/Passes.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlow.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/UB/IR/UBOps.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;

namespace hexin::cpu {
namespace {

bool isKernelDialect(Dialect *dialect) {
  return dialect && isa<arith::ArithDialect, math::MathDialect, scf::SCFDialect,
                        vector::VectorDialect, memref::MemRefDialect, ub::UBDialect,
                        func::FuncDialect>(dialect);
}

/// Checks the form of one kernel and describes it.
LogicalResult readKernel(func::FuncOp kernel, SmallVectorImpl<KernelInfo> &kernels) {
  auto bindings = kernel->getAttrOfType<IntegerAttr>("hx.bindings");
  auto params = kernel->getAttrOfType<IntegerAttr>("hx.params");
  if (!bindings || !params || bindings.getInt() < 0 || params.getInt() < 0)
    return kernel.emitError("expected attributes hx.bindings and hx.params");
  ArrayRef<Type> types = kernel.getArgumentTypes();
  uint64_t numBindings = bindings.getInt(), numParams = params.getInt();
  if (types.size() != numBindings + numParams + 2 || kernel.getNumResults() != 0)
    return kernel.emitError("expected ")
           << numBindings << " memrefs, " << numParams << " params, begin and end, got "
           << kernel.getFunctionType();
  for (auto [i, type] : llvm::enumerate(types)) {
    auto memref = dyn_cast<MemRefType>(type);
    bool ok = i < numBindings
                  ? memref && memref.getRank() == 1 && memref.getLayout().isIdentity()
              : i < numBindings + numParams ? type.isInteger(64)
                                            : type.isIndex();
    if (!ok)
      return kernel.emitError("argument ") << i << " has unexpected type " << type;
  }
  WalkResult walk = kernel.walk([&](Operation *op) {
    if (isa<LLVM::CallIntrinsicOp, LLVM::IntToPtrOp>(op) ||
        (isKernelDialect(op->getDialect()) && !isa<func::CallOp, memref::AllocOp>(op)))
      return WalkResult::advance();
    op->emitOpError("is not allowed in a kernel");
    return WalkResult::interrupt();
  });
  if (walk.wasInterrupted())
    return failure();
  kernels.push_back({kernel.getName().str(), unsigned(numBindings), unsigned(numParams),
                     kernel->hasAttr(flushesSubnormalsAttr), kernel.getLoc()});
  return success();
}

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

/// Scratch lives in the entry block: allocated in a loop it would grow the stack.
void hoistScratch(func::FuncOp kernel) {
  SmallVector<memref::AllocaOp> allocations;
  kernel.walk([&](memref::AllocaOp op) {
    if (op.getType().hasStaticShape())
      allocations.push_back(op);
  });
  Block &entry = kernel.getBody().front();
  for (memref::AllocaOp op : llvm::reverse(allocations))
    op->moveBefore(&entry, entry.begin());
}

void addPasses(PassManager &passes) {
  passes.addNestedPass<func::FuncOp>(createCanonicalizerPass());
  passes.addNestedPass<func::FuncOp>(createCSEPass());
  passes.addNestedPass<func::FuncOp>(arith::createArithExpandOpsPass());
  passes.addNestedPass<func::FuncOp>(createSCFToControlFlowPass());
  passes.addPass(createConvertVectorToLLVMPass());
  passes.addPass(createFinalizeMemRefToLLVMConversionPass());
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
                      LLVM::LLVMDialect, math::MathDialect, memref::MemRefDialect,
                      scf::SCFDialect, ub::UBDialect, vector::VectorDialect>();
}

LogicalResult lowerToLLVM(ModuleOp module, StringRef arch,
                          SmallVectorImpl<KernelInfo> &kernels) {
  for (Operation &op : module.getBody()->getOperations()) {
    auto kernel = dyn_cast<func::FuncOp>(op);
    if (!kernel || kernel.isExternal())
      return op.emitError("expected kernels with a body only");
    if (failed(readKernel(kernel, kernels)))
      return failure();
    hoistScratch(kernel);
    kernel->removeAttr("hx.writes");
    kernel->removeAttr("hx.bindings");
    kernel->removeAttr("hx.workspace");
    kernel->removeAttr("hx.params");
  }
  allowContraction(module);
  // What extends an arch so has no kernels but products of bf16 (codegen::differs).
  NarrowConversions has{arch != "x86-64-v2", arch.contains("+avx512bf16")};
  if (failed(lowerMath(module)) || failed(lowerRemainder(module)) ||
      failed(lowerNarrowFloats(module, has)))
    return failure();
  if (arch == "x86-64-v2")
    emulateExactFma(module);
  PassManager passes(module.getContext());
  addPasses(passes);
  if (failed(passes.run(module)))
    return failure();
  storeNarrowFloatsAsIntegers(module, has);
  return success();
}

} // namespace hexin::cpu
