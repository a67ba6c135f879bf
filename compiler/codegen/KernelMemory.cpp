// What a kernel binds, loads, stores and shares.
#include "compiler/codegen/KernelBuilder.h"
#include "compiler/codegen/Multiples.h"
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
  use.alignments.push_back(1);
  use.footprints.push_back(use.exprs.mul(numElements, constantExpr(bytes)));
  return entry.getArgument(bindingTypes.size() - 1);
}

bool KernelBuilder::isMultiple(Value index, unsigned factor) {
  unsigned numBefore = numMemrefs();
  SmallVector<unsigned> multiples(use.paramMultiples);
  auto ofParam = [&](BlockArgument argument) {
    unsigned number = argument.getArgNumber() - numBefore;
    int64_t divisor = use.params[number].getLargestKnownDivisor();
    unsigned known = 1;
    while (known < factor && divisor % (2 * known) == 0)
      known *= 2;
    multiples[number] = std::max(multiples[number], known);
    return known;
  };
  if (!isMultipleOf(index, factor, ofParam))
    return false;
  use.paramMultiples.assign(multiples);
  return true;
}

static unsigned bytesOf(BlockArgument binding, unsigned lanes) {
  auto type = cast<MemRefType>(binding.getType());
  return lanes * type.getElementTypeBitWidth() / 8;
}

bool KernelBuilder::countOnAlignment(Value memref, Value position, unsigned lanes) {
  if (lanes == 1)
    return true;
  auto binding = dyn_cast<BlockArgument>(memref);
  if (!binding || binding == workspaceMemory || misaligned.contains(memref) ||
      !isMultiple(position, lanes))
    return false;
  unsigned &promised = use.alignments[binding.getArgNumber()];
  promised = std::max(promised, bytesOf(binding, lanes));
  return true;
}

llvm::MaybeAlign KernelBuilder::alignmentOf(Value memref, Value position,
                                            unsigned lanes) {
  auto binding = dyn_cast<BlockArgument>(memref);
  if (!codegenTraits.alignedVectors || !binding || binding == workspaceMemory ||
      lanes == 1)
    return std::nullopt;
  if (!countOnAlignment(memref, position, lanes)) {
    splitVectors = true;
    return std::nullopt;
  }
  return llvm::Align(bytesOf(binding, lanes));
}

Value KernelBuilder::load(Value memref, Value position, unsigned lanes,
                          Type hxElementType) {
  Type storage = storageType(hxElementType), compute = computeType(hxElementType);
  Value loaded;
  if (lanes > 1)
    loaded = vector::LoadOp::create(b, location, VectorType::get({lanes}, storage),
                                    memref, ValueRange(position), /*nontemporal=*/false,
                                    alignmentOf(memref, position, lanes));
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

void KernelBuilder::prefetch(Value memref, Value position) {
  constexpr unsigned secondLevel = 2;
  memref::PrefetchOp::create(b, location, memref, ValueRange(position), /*isWrite=*/false,
                             secondLevel, /*isDataCache=*/true);
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
    vector::StoreOp::create(b, location, value, memref, ValueRange(position),
                            /*nontemporal=*/false,
                            alignmentOf(memref, position, vectorType.getNumElements()));
  else
    memref::StoreOp::create(b, location, value, memref, ValueRange(position));
}

Value KernelBuilder::workspace(KExpr numElements) {
  constexpr int64_t bytes = 4;
  use.workspaceBytes = use.exprs.mul(numElements, constantExpr(bytes));
  auto type = MemRefType::get({ShapedType::kDynamic}, b.getF32Type());
  workspaceMemory =
      func.getBody().front().insertArgument(bindingTypes.size(), type, location);
  return workspaceMemory;
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

Value KernelBuilder::exchange(Value value, unsigned mask) {
  Type type = value.getType();
  Type i32 = b.getI32Type(), i64 = b.getI64Type();
  unsigned width = type.getIntOrFloatBitWidth();
  if (isa<FloatType>(type) && width == 64) {
    Value bits = exchange(arith::BitcastOp::create(b, location, i64, value), mask);
    return arith::BitcastOp::create(b, location, type, bits);
  }
  if (width < 32) {
    Value wide = exchange(arith::ExtUIOp::create(b, location, i32, value), mask);
    return arith::TruncIOp::create(b, location, type, wide);
  }
  if (width == 32)
    return gpu::ShuffleOp::create(b, location, value, static_cast<int32_t>(mask),
                                  static_cast<int32_t>(codegenTraits.warpThreads),
                                  gpu::ShuffleMode::XOR)
        .getShuffleResult();
  Value half = intConstant(32, i64, 1);
  Value high = arith::ShRUIOp::create(b, location, value, half);
  auto part = [&](Value bits) -> Value {
    Value theirs = exchange(arith::TruncIOp::create(b, location, i32, bits), mask);
    return arith::ExtUIOp::create(b, location, i64, theirs);
  };
  Value low = part(value);
  high = arith::ShLIOp::create(b, location, part(high), half);
  return arith::OrIOp::create(b, location, high, low);
}

void KernelBuilder::barrier() { gpu::BarrierOp::create(b, location); }

} // namespace hexin::codegen
