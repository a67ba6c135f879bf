//===- PrintMemory.cpp - loads, stores and private scratch -------------------===//
#include "backends/opencl/compiler/KernelPrinter.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace hexin::opencl {

/// Private memory beyond this does not fit the register file or stack of any
/// device: such scratch belongs in a binding.
static constexpr int64_t maxScratchBytes = 64 * 1024;

static void printLoad(Value memory, Value index, Value result, KernelPrinter &p) {
  CType type = p.typeOf(result);
  std::string base = p.ref(memory), at = p.subscript(index);
  p.define(result, type.isVector() ? "vload" + std::to_string(type.lanes) + "(0, " +
                                         base + " + " + at + ")"
                                   : base + "[" + at + "]");
}

static void printStore(Value value, Value memory, Value index, KernelPrinter &p) {
  CType type = p.typeOf(value);
  std::string base = p.ref(memory), at = p.subscript(index);
  if (type.isVector())
    p.statement("vstore" + std::to_string(type.lanes) + "(" + p.ref(value) + ", 0, " +
                base + " + " + at + ");");
  else
    p.statement(base + "[" + at + "] = " + p.ref(value) + ";");
}

/// Memory of a team, declared where OpenCL wants it: at the top of the kernel.
static LogicalResult printLocalMemory(memref::AllocaOp op, KernelPrinter &p) {
  MemRefType type = op.getType();
  auto space = dyn_cast<gpu::AddressSpaceAttr>(type.getMemorySpace());
  if (!space || space.getValue() != gpu::AddressSpace::Workgroup ||
      !isa<func::FuncOp>(op->getParentOp()))
    return op.emitOpError("is in a memory space that is not its team's, or inside of a "
                          "loop or branch");
  CType element = *getCType(type.getElementType());
  if (!type.hasStaticShape() ||
      type.getDimSize(0) > maxScratchBytes / std::max<int64_t>(1, element.bits() / 8))
    return op.emitOpError("needs a static size of at most ")
           << maxScratchBytes << " bytes of local memory";
  std::string name = p.fresh("l");
  p.statement("__local " + element.name() + " " + name + "[" +
              std::to_string(std::max<int64_t>(1, type.getDimSize(0))) +
              "] __attribute__((aligned(16)));");
  p.bind(op.getResult(), name);
  return success();
}

static LogicalResult printAlloca(memref::AllocaOp op, KernelPrinter &p) {
  MemRefType type = op.getType();
  if (type.getMemorySpace())
    return printLocalMemory(op, p);
  CType element = *getCType(type.getElementType());
  if (!type.hasStaticShape() ||
      type.getDimSize(0) > maxScratchBytes / std::max<int64_t>(1, element.bits() / 8))
    return op.emitOpError("needs a static size of at most ")
           << maxScratchBytes << " bytes of private memory; pass scratch as a binding";
  std::string name = p.fresh("a");
  p.statement(element.name() + " " + name + "[" +
              std::to_string(std::max<int64_t>(1, type.getDimSize(0))) + "];");
  p.bind(op.getResult(), name);
  return success();
}

/// What only team kernels have, besides their memory.
std::optional<LogicalResult> printTeamOp(Operation *op, KernelPrinter &p) {
  if (isa<gpu::BarrierOp>(op)) {
    p.statement("barrier(CLK_LOCAL_MEM_FENCE);");
    return success();
  }
  auto thread = dyn_cast<gpu::ThreadIdOp>(op);
  if (!thread)
    return std::nullopt;
  if (thread.getDimension() != gpu::Dimension::x)
    return op->emitOpError("asks for another number than x; teams have one dimension");
  p.define(thread.getResult(), "get_local_id(0)");
  return success();
}

std::optional<LogicalResult> printMemoryOp(Operation *op, KernelPrinter &p) {
  return llvm::TypeSwitch<Operation *, std::optional<LogicalResult>>(op)
      .Case([&](memref::LoadOp load) {
        return printLoad(load.getMemref(), load.getIndices()[0], load.getResult(), p),
               success();
      })
      .Case([&](vector::LoadOp load) {
        return printLoad(load.getBase(), load.getIndices()[0], load.getResult(), p),
               success();
      })
      .Case([&](memref::StoreOp store) {
        return printStore(store.getValueToStore(), store.getMemref(),
                          store.getIndices()[0], p),
               success();
      })
      .Case([&](vector::StoreOp store) {
        return printStore(store.getValueToStore(), store.getBase(), store.getIndices()[0],
                          p),
               success();
      })
      .Case([&](memref::AllocaOp alloca) { return printAlloca(alloca, p); })
      .Default([](Operation *) { return std::nullopt; });
}

} // namespace hexin::opencl
