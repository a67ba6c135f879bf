#include "backends/cuda/compiler/KernelForm.h"

#include "backends/cuda/abi/PtxText.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/NVGPU/IR/NVGPUDialect.h"
#include "mlir/Dialect/UB/IR/UBOps.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;

namespace hexin::cuda {
namespace {

/// PTX writes names as they are.
bool isPtxName(StringRef name) {
  return !name.empty() && llvm::isAlpha(name.front()) &&
         llvm::all_of(name, [](char c) { return llvm::isAlnum(c) || c == '_'; });
}

bool isKernelDialect(Dialect *dialect) {
  return dialect && isa<arith::ArithDialect, math::MathDialect, scf::SCFDialect,
                        vector::VectorDialect, memref::MemRefDialect, ub::UBDialect,
                        func::FuncDialect>(dialect);
}

/// What only kernels of teams have.
bool isTeamOp(Operation *op) {
  return isa<gpu::ThreadIdOp, gpu::BarrierOp, gpu::ShuffleOp, nvgpu::DeviceAsyncCopyOp,
             nvgpu::LdMatrixOp, nvgpu::MmaSyncOp, NVVM::CpAsyncCommitGroupOp,
             NVVM::CpAsyncWaitGroupOp>(op);
}

LogicalResult checkArguments(func::FuncOp kernel, const KernelForm &form) {
  ArrayRef<Type> types = kernel.getArgumentTypes();
  size_t numBindings = form.numBindings, numParams = form.numParams;
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
  return success();
}

LogicalResult checkShuffle(gpu::ShuffleOp op, const KernelForm &form) {
  APInt width;
  Type type = op.getValue().getType();
  if (op.getMode() != gpu::ShuffleMode::XOR || !(type.isF32() || type.isInteger(32)) ||
      !matchPattern(op.getWidth(), m_ConstantInt(&width)) || width != warpThreads ||
      !op.getValid().use_empty())
    return op.emitOpError("expected an exchange of 32 bits by xor over ")
           << warpThreads << " threads";
  if (form.teamThreads % warpThreads != 0)
    return op.emitOpError("is in a kernel for teams of ")
           << form.teamThreads << " threads, which are no whole warps";
  return success();
}

LogicalResult checkOps(func::FuncOp kernel, const KernelForm &form) {
  WalkResult walk = kernel.walk([&](Operation *op) {
    if (isTeamOp(op)) {
      auto thread = dyn_cast<gpu::ThreadIdOp>(op);
      auto shuffle = dyn_cast<gpu::ShuffleOp>(op);
      if (form.teamThreads == 0) {
        op->emitOpError("is in a kernel that has no hx.team_threads");
        return WalkResult::interrupt();
      }
      if (shuffle && failed(checkShuffle(shuffle, form)))
        return WalkResult::interrupt();
      if (thread && thread.getDimension() != gpu::Dimension::x) {
        op->emitOpError("asks for another number than x; teams have one dimension");
        return WalkResult::interrupt();
      }
      return WalkResult::advance();
    }
    if (isKernelDialect(op->getDialect()) && !isa<func::CallOp, memref::AllocOp>(op))
      return WalkResult::advance();
    op->emitOpError("is not allowed in a kernel");
    return WalkResult::interrupt();
  });
  return failure(walk.wasInterrupted());
}

LogicalResult findItems(func::FuncOp kernel, KernelForm &form) {
  Block &entry = kernel.getBody().front();
  BlockArgument begin = entry.getArgument(entry.getNumArguments() - 2),
                end = entry.getArgument(entry.getNumArguments() - 1);
  if (begin.use_empty() && end.use_empty())
    return success(); // does nothing for any item
  if (begin.hasOneUse() && end.hasOneUse())
    form.items = dyn_cast<scf::ForOp>(*begin.user_begin());
  if (!form.items || form.items->getParentOp() != kernel ||
      form.items.getLowerBound() != begin || form.items.getUpperBound() != end ||
      !matchPattern(form.items.getStep(), m_One()) || form.items.getNumResults() != 0)
    return kernel.emitError("expected one loop from begin to end by 1, and no other "
                            "use of begin and end");
  return success();
}

} // namespace

FailureOr<KernelForm> readKernelForm(func::FuncOp kernel) {
  auto bindings = kernel->getAttrOfType<IntegerAttr>("hx.bindings");
  auto params = kernel->getAttrOfType<IntegerAttr>("hx.params");
  if (!bindings || !params || bindings.getInt() < 0 || params.getInt() < 0)
    return kernel.emitError("expected attributes hx.bindings and hx.params");
  if (!isPtxName(kernel.getName()))
    return kernel.emitError("'")
           << kernel.getName() << "' is no name for a kernel: expected letters, digits "
           << "and '_', a letter first";
  KernelForm form;
  form.numBindings = bindings.getInt();
  form.numParams = params.getInt();
  if (auto threads = kernel->getAttrOfType<IntegerAttr>("hx.team_threads")) {
    if (threads.getInt() < 1 || threads.getInt() > maxTeamThreads)
      return kernel.emitError("hx.team_threads = ")
             << threads.getInt() << " is no number of threads from 1 to "
             << maxTeamThreads;
    form.teamThreads = threads.getInt();
  }
  if (auto bytes = kernel->getAttrOfType<IntegerAttr>("hx.local_bytes"))
    form.localBytes = bytes.getInt();
  if (failed(checkArguments(kernel, form)) || failed(checkOps(kernel, form)) ||
      failed(findItems(kernel, form)))
    return failure();
  return form;
}

} // namespace hexin::cuda
