#include "compiler/codegen/AsyncCopy.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/NVGPU/IR/NVGPUDialect.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace hexin::codegen {

static Type elementOf(Value memref) {
  return cast<MemRefType>(memref.getType()).getElementType();
}

static llvm::Align alignmentOf(Type type) {
  auto vector = cast<VectorType>(type);
  return llvm::Align(vector.getNumElements() * vector.getElementTypeBitWidth() / 8);
}

Value loadLocal(KernelBuilder &k, Value local, Value at, unsigned lanes) {
  if (lanes == 1)
    return memref::LoadOp::create(k.builder(), k.loc(), local, ValueRange(at));
  auto type = VectorType::get({lanes}, elementOf(local));
  return vector::LoadOp::create(k.builder(), k.loc(), type, local, ValueRange(at),
                                /*nontemporal=*/false, alignmentOf(type));
}

void storeLocal(KernelBuilder &k, Value local, Value at, Value value) {
  if (!isa<VectorType>(value.getType()))
    memref::StoreOp::create(k.builder(), k.loc(), value, local, ValueRange(at));
  else
    vector::StoreOp::create(k.builder(), k.loc(), value, local, ValueRange(at),
                            /*nontemporal=*/false, alignmentOf(value.getType()));
}

/// The same by a load and a store.
static void copyAtOnce(KernelBuilder &k, const LocalCopy &copy) {
  OpBuilder &b = k.builder();
  Type type = withLanes(elementOf(copy.dst), copy.count);
  auto load = [&]() -> Value {
    if (copy.count == 1)
      return memref::LoadOp::create(b, k.loc(), copy.src, ValueRange(copy.position));
    return vector::LoadOp::create(b, k.loc(), cast<VectorType>(type), copy.src,
                                  ValueRange(copy.position));
  };
  auto zeros = [&]() -> Value {
    return arith::ConstantOp::create(b, k.loc(), b.getZeroAttr(type));
  };
  Value value = k.ifElse(
      copy.inside, type, [&] { return SmallVector<Value>{load()}; },
      [&] { return SmallVector<Value>{zeros()}; })[0];
  storeLocal(k, copy.dst, copy.at, value);
}

/// Devices copy 4, 8 or 16 bytes at such multiples.
static bool canBeAsync(KernelBuilder &k, const LocalCopy &copy) {
  unsigned bytes = copy.count * elementOf(copy.dst).getIntOrFloatBitWidth() / 8;
  return k.traits().team.asyncCopies && bytes >= 4 && bytes <= 16 &&
         k.countOnAlignment(copy.src, copy.position, copy.count);
}

void copyToLocal(KernelBuilder &k, const LocalCopy &copy) {
  if (!canBeAsync(k, copy))
    return copyAtOnce(k, copy);
  OpBuilder &b = k.builder();
  // An address must be one of the binding even if nothing is read there.
  Value none = k.index(0), all = k.index(copy.count);
  Value from = arith::SelectOp::create(b, k.loc(), copy.inside, copy.position, none);
  Value count = arith::SelectOp::create(b, k.loc(), copy.inside, all, none);
  auto token = nvgpu::DeviceAsyncTokenType::get(b.getContext());
  nvgpu::DeviceAsyncCopyOp::create(b, k.loc(), token, copy.dst, ValueRange(copy.at),
                                   copy.src, ValueRange(from), b.getIndexAttr(copy.count),
                                   count, /*bypassL1=*/nullptr);
}

void closeCopies(KernelBuilder &k) {
  if (k.traits().team.asyncCopies)
    NVVM::CpAsyncCommitGroupOp::create(k.builder(), k.loc());
}

void awaitCopies(KernelBuilder &k, unsigned open) {
  if (k.traits().team.asyncCopies)
    NVVM::CpAsyncWaitGroupOp::create(k.builder(), k.loc(), open);
}

} // namespace hexin::codegen
