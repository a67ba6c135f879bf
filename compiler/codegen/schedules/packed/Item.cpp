#include "compiler/codegen/schedules/packed/Item.h"

#include "compiler/codegen/Scalars.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

#include <algorithm>
#include <bit>

using namespace mlir;

namespace hexin::codegen::packed {

/// 16 KiB of f32 on the stack.
constexpr int64_t maxZeroChannels = 4096;

/// Which matrix of `operand` belongs to position `at` among the result's batches. An
/// axis whose size may turn out to be 1 has its only matrix for all of them.
static Value matrixNumberOf(ElementEmitter &emitter, const Problem &problem,
                            Value operand, ArrayRef<Value> at) {
  KernelBuilder &k = emitter.kernel();
  SmallVector<KExpr> sizes = emitter.sizes(operand);
  Value number = k.index(0);
  size_t batchRank = sizes.size() - 2;
  for (size_t axis = 0; axis < batchRank; ++axis) {
    size_t ofResult = at.size() - batchRank + axis;
    Value i = at[ofResult];
    if (k.exprs().constantValue(sizes[axis]) == 1)
      i = k.index(0);
    else if (!(sizes[axis] == problem.batchSizes[ofResult]))
      i = k.min(i, k.sub(k.value(sizes[axis]), k.index(1)));
    number = k.add(k.mul(number, k.value(sizes[axis])), i);
  }
  return number;
}

/// A zero point of one element in the type of sums; null for none.
static Value zeroOf(ElementEmitter &emitter, const Problem &problem, Value zeroPoint) {
  if (!zeroPoint)
    return {};
  SmallVector<Value> at(emitter.dims(zeroPoint).size(), emitter.kernel().index(0));
  return emitCast(emitter.kernel(), emitter.emit(zeroPoint, at, 1),
                  elementType(zeroPoint), problem.sumType);
}

/// Panels that come from memory, or from a cache that others fill too, and are multiplied
/// by many rows: while one is, the next one comes. A few rows read memory as fast as it
/// is.
static bool paysToPrefetch(ElementEmitter &emitter, const Problem &problem) {
  KernelBuilder &k = emitter.kernel();
  constexpr int64_t minRows = 16, minElements = 1 << 16;
  if (!k.traits().prefetches || !elementType(problem.rhs).isF32() ||
      (problem.numRows && *problem.numRows < minRows))
    return false;
  std::optional<int64_t> elements = hx::SymbolTable::constantValue(
      k.shapes().symbols().product(emitter.dims(problem.rhs)));
  return !elements || *elements >= minElements;
}

Item::Item(ElementEmitter &emitter, const Problem &problem, Value outerIndex, Value panel)
    : k(emitter.kernel()), problem(problem), outerIndex(outerIndex) {
  const Problem &p = problem;
  lhsMemref = emitter.memrefOf(p.lhs);
  panelType = elementType(p.rhs);
  firstColumn = k.mul(panel, k.index(p.width));
  if (p.fewBits) {
    lhsBase = k.index(0);
    fewBits.emplace(emitter, p, panel);
    return;
  }
  // The footprint of a packed operand is that of its panels.
  KExpr panels = k.exprs().ceilDiv(p.columns, k.constantExpr(p.width));
  KExpr tapsDepth =
      k.exprs().mul(p.depth, k.constantExpr(p.conv ? p.taps[0] * p.taps[1] : 1));
  if (p.panelSteps > 1) {
    constexpr int64_t words = 16; // that the depth is rounded up to
    KExpr multiple = k.constantExpr(words * p.panelSteps);
    tapsDepth = k.exprs().mul(k.exprs().ceilDiv(tapsDepth, multiple), multiple);
  }
  KExpr matrix = k.exprs().product({panels, tapsDepth, k.constantExpr(p.width)});
  KExpr matrices = p.outer;
  if (!p.conv) {
    SmallVector<KExpr> r = emitter.sizes(p.rhs);
    matrices = k.exprs().product(ArrayRef(r).drop_back(2));
  }
  unsigned argument = cast<BlockArgument>(p.rhs).getArgNumber();
  rhsMemref =
      k.bind(emitter.groupOp().getInputs()[argument], k.exprs().mul(matrices, matrix));

  prefetches = paysToPrefetch(emitter, p);
  lhsZero = zeroOf(emitter, p, p.lhsZeroPoint);
  rhsZero = zeroOf(emitter, p, p.rhsZeroPoint);
  lhsBase = k.index(0);
  Value matrixNumber = k.index(0);
  if (p.conv) {
    matrixNumber = outerIndex;
    lhsBase = k.mul(outerIndex, k.value(p.depth)); // first channel of the group
    makeZeroChannels();
  } else if (!p.batchSizes.empty()) {
    SmallVector<Value> at = k.delinearize(outerIndex, p.batchSizes);
    lhsBase = k.mul(matrixNumberOf(emitter, p, p.lhs, at),
                    k.mul(k.value(p.rows), k.value(p.depth)));
    matrixNumber = matrixNumberOf(emitter, p, p.rhs, at);
  }
  panelSize = k.mul(k.value(tapsDepth), k.index(p.width));
  panelBase = k.add(k.mul(matrixNumber, k.value(matrix)), k.mul(panel, panelSize));
}

Item::Item(const Item &item, const Problem &floats, Value memory)
    : k(item.k), problem(floats), outerIndex(item.outerIndex), lhsBase(item.lhsBase),
      panelBase(k.index(0)), firstColumn(item.firstColumn), lhsMemref(item.lhsMemref),
      rhsMemref(memory), panelType(floats.sumType) {}

void Item::makeZeroChannels() {
  const Problem &p = problem;
  Type type = elementType(p.lhs);
  if (!k.traits().flatMemory || !p.hasPads || p.channelsPerTap > maxZeroChannels ||
      type != p.sumType)
    return;
  unsigned lanes = k.traits().vectorLanes / (type.getIntOrFloatBitWidth() / 32);
  if (p.isDepthwise)
    lanes = std::min<unsigned>(lanes, p.width);
  Value memory = k.scratch(p.isDepthwise ? p.width : maxZeroChannels, type);
  Value count = p.isDepthwise ? k.index(p.width) : k.value(p.depth);
  k.forLoop(k.index(0), count, k.index(lanes), {}, [&](Value i, ValueRange) {
    k.store(memory, i, k.floatConstant(0, type, lanes), type);
    return SmallVector<Value>();
  });
  auto unsized = MemRefType::get({ShapedType::kDynamic}, type);
  zeroChannels = memref::CastOp::create(k.builder(), k.loc(), unsized, memory);
}

Row Item::rowAt(Value flat) const {
  if (hasPixels())
    return rowOfPixel(flat,
                      k.delinearize(flat, ArrayRef(problem.outSizes).take_front(3)));
  KExpr pitch = problem.conv ? problem.channels : problem.depth;
  Row row;
  row.flat = flat;
  row.base = k.add(lhsBase, k.mul(flat, k.value(pitch)));
  return row;
}

SmallVector<Row> Item::rowsFrom(Value firstRow, unsigned count) const {
  SmallVector<Row> rows;
  SmallVector<Value> at;
  for (unsigned r = 0; r < count; ++r) {
    Value flat = k.add(firstRow, k.index(r));
    if (!hasPixels()) {
      rows.push_back(rowAt(flat));
      continue;
    }
    at = r == 0 ? k.delinearize(flat, ArrayRef(problem.outSizes).take_front(3))
                : nextPixel(at);
    rows.push_back(rowOfPixel(flat, at));
  }
  return rows;
}

void Item::forEachRow(Value begin, Value end,
                      function_ref<void(const Row &)> body) const {
  SmallVector<Value> first;
  if (hasPixels())
    first = k.delinearize(begin, ArrayRef(problem.outSizes).take_front(3));
  k.forLoop(begin, end, k.index(1), first, [&](Value flat, ValueRange at) {
    body(hasPixels() ? rowOfPixel(flat, SmallVector<Value>(at)) : rowAt(flat));
    return hasPixels() ? nextPixel(SmallVector<Value>(at)) : SmallVector<Value>();
  });
}

SmallVector<Value> Item::nextPixel(ArrayRef<Value> at) const {
  OpBuilder &b = k.builder();
  SmallVector<Value> next(at);
  Value carry = k.index(1);
  for (size_t axis : {2, 1}) {
    Value sum = k.add(at[axis], carry);
    Value wraps = arith::CmpIOp::create(b, k.loc(), arith::CmpIPredicate::eq, sum,
                                        k.value(problem.outSizes[axis]));
    next[axis] = arith::SelectOp::create(b, k.loc(), wraps, k.index(0), sum);
    carry = arith::IndexCastUIOp::create(b, k.loc(), b.getIndexType(), wraps);
  }
  next[0] = k.add(at[0], carry);
  return next;
}

Row Item::rowOfPixel(Value flat, ArrayRef<Value> at) const {
  const Problem &p = problem;
  Row row;
  row.flat = flat;
  row.y = k.sub(k.mul(at[1], k.index(p.conv->strides[0])), k.value(p.beginPad[0]));
  row.x = k.sub(k.mul(at[2], k.index(p.conv->strides[1])), k.value(p.beginPad[1]));
  Value pixel = k.mul(at[0], k.value(p.inSizes[1]));
  pixel = k.mul(k.add(pixel, row.y), k.value(p.inSizes[2]));
  row.base = k.add(lhsBase, k.mul(k.add(pixel, row.x), k.value(p.channels)));
  return row;
}

static Value withoutZero(KernelBuilder &k, Value x, Value zero, unsigned lanes) {
  if (!zero)
    return x;
  zero = k.splat(zero, lanes);
  if (zero.getType().isIntOrIndex())
    return arith::SubIOp::create(k.builder(), k.loc(), x, zero);
  return arith::SubFOp::create(k.builder(), k.loc(), x, zero);
}

Value Item::loadLhs(Value memory, Value position, unsigned lanes) const {
  Type type = elementType(problem.lhs);
  Value value = k.load(memory, position, lanes, type);
  if (problem.isInteger)
    value = emitCast(k, value, type, problem.sumType);
  return withoutZero(k, value, lhsZero, lanes);
}

Value Item::loadPanel(Value position, unsigned lanes) const {
  Value value = k.load(rhsMemref, position, lanes, panelType);
  return withoutZero(k, emitCast(k, value, panelType, problem.sumType), rhsZero, lanes);
}

void Item::sharePrefetch(Value tile, int64_t numTiles) {
  if (!prefetches)
    return;
  constexpr int64_t mostShares = 8;
  numShares = std::bit_floor<uint64_t>(std::clamp<int64_t>(numTiles, 1, mostShares));
  Value share = k.div(panelSize, k.index(numShares));
  Value start = k.mul(k.rem(tile, k.index(numShares)), share);
  prefetchBase = k.add(k.add(panelBase, panelSize), start);
}

void Item::prefetchNextPanel(Value position, int64_t steps) const {
  constexpr int64_t elementsPerLine = 16;
  if (!prefetchBase)
    return;
  Value done = k.div(k.sub(position, panelBase), k.index(numShares));
  Value next = k.add(prefetchBase, done);
  for (int64_t at = 0; at < steps * problem.width; at += elementsPerLine * numShares)
    k.prefetch(rhsMemref, k.add(next, k.index(at / numShares)));
}

} // namespace hexin::codegen::packed
