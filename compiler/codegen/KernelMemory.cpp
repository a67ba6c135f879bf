// What a kernel binds, loads, stores and shares.
#include "compiler/codegen/KernelBuilder.h"
#include "runtime/device/KernelAbi.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace hexin::codegen {

Value KernelBuilder::bind(Value hxValue, KExpr numElements, bool isWritten) {
  Type element = storageType(cast<ShapedType>(hxValue.getType()).getElementType());
  return bindMemory(hxValue, element, numElements, isWritten);
}

void KernelBuilder::reportFault(Value value, Value size, FaultKind kind) {
  Type i64 = b.getI64Type();
  Value row = bindMemory({}, i64, constantExpr(2), /*isWritten=*/true);
  auto put = [&](int64_t at, Value value) {
    store(row, index(at), arith::IndexCastOp::create(b, location, i64, value), i64);
  };
  put(1, value);
  Value sizeAndOne = add(size, index(1));
  switch (kind) {
  case FaultKind::index:
    return put(0, sizeAndOne);
  case FaultKind::indexFromStart:
    return put(0, sub(index(0), sizeAndOne));
  case FaultKind::length:
    return put(0, sub(size, index(lengthFault)));
  }
}

/// `element`: as it stands in memory.
Value KernelBuilder::bindMemory(Value hxValue, Type element, KExpr numElements,
                                bool isWritten) {
  Block &entry = func.getBody().front();
  auto [it, isNew] = bindingOf.try_emplace(hxValue, bindingTypes.size());
  if (!isNew) {
    use.writes[it->second] = use.writes[it->second] || isWritten;
    return entry.getArgument(it->second);
  }
  auto type = MemRefType::get({ShapedType::kDynamic}, element);
  entry.insertArgument(bindingTypes.size(), type, location);
  bindingTypes.push_back(type);
  use.bindings.push_back(hxValue);
  use.writes.push_back(isWritten);
  int64_t bytes = (element.getIntOrFloatBitWidth() + 7) / 8;
  use.footprints.push_back(use.exprs.mul(numElements, constantExpr(bytes)));
  return entry.getArgument(bindingTypes.size() - 1);
}

Value KernelBuilder::load(Value memref, Value position, unsigned lanes,
                          Type hxElementType) {
  Type storage = storageType(hxElementType), compute = computeType(hxElementType);
  Value loaded;
  if (lanes > 1)
    loaded = vector::LoadOp::create(b, location, VectorType::get({lanes}, storage),
                                    memref, ValueRange(position));
  else
    loaded = memref::LoadOp::create(b, location, memref, ValueRange(position));
  if (compute == storage)
    return loaded;
  Type result = withLanes(compute, lanes);
  if (compute.isInteger(1))
    return arith::CmpIOp::create(b, location, arith::CmpIPredicate::ne, loaded,
                                 intConstant(0, storage, lanes));
  if (isa<FloatType>(compute))
    return arith::ExtFOp::create(b, location, result, loaded);
  return arith::TruncIOp::create(b, location, result, loaded);
}

void KernelBuilder::store(Value memref, Value position, Value value, Type hxElementType) {
  Type storage = storageType(hxElementType), compute = computeType(hxElementType);
  auto vectorType = dyn_cast<VectorType>(value.getType());
  if (compute != storage) {
    Type stored = withLanes(storage, vectorType ? vectorType.getNumElements() : 1);
    if (isa<FloatType>(compute))
      value = arith::TruncFOp::create(b, location, stored, value);
    else
      value = arith::ExtUIOp::create(b, location, stored, value);
  }
  if (vectorType)
    vector::StoreOp::create(b, location, value, memref, ValueRange(position));
  else
    memref::StoreOp::create(b, location, value, memref, ValueRange(position));
}

Value KernelBuilder::scratch(unsigned count, Type elementType) {
  OpBuilder entry(&func.getBody().front(), func.getBody().front().begin());
  return memref::AllocaOp::create(entry, location, MemRefType::get({count}, elementType),
                                  entry.getI64IntegerAttr(64));
}

//===----------------------------------------------------------------------===//
// Teams
//===----------------------------------------------------------------------===//

Value KernelBuilder::beginTeamItems(KExpr items, unsigned threads) {
  use.teamThreads = threads;
  return beginItems(items);
}

Value KernelBuilder::thread() {
  if (!threadNumber) {
    OpBuilder entry(&func.getBody().front(), func.getBody().front().begin());
    threadNumber = gpu::ThreadIdOp::create(entry, location, gpu::Dimension::x);
  }
  return threadNumber;
}

Value KernelBuilder::local(unsigned count, Type elementType) {
  OpBuilder entry(&func.getBody().front(), func.getBody().front().begin());
  auto space = gpu::AddressSpaceAttr::get(b.getContext(), gpu::AddressSpace::Workgroup);
  auto type = MemRefType::get({count}, elementType, MemRefLayoutAttrInterface(), space);
  constexpr unsigned alignment = 16;
  unsigned bytes = count * ((elementType.getIntOrFloatBitWidth() + 7) / 8);
  use.localBytes += llvm::alignTo(bytes, alignment);
  return memref::AllocaOp::create(entry, location, type,
                                  entry.getI64IntegerAttr(alignment));
}

void KernelBuilder::barrier() { gpu::BarrierOp::create(b, location); }

} // namespace hexin::codegen
