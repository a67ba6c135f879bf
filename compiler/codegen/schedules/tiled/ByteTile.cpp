#include "compiler/codegen/schedules/tiled/ByteTile.h"

#include "compiler/codegen/ByteMatrices.h"
#include "compiler/codegen/schedules/tiled/ByteSlices.h"
#include "compiler/codegen/schedules/tiled/Steps.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;

namespace hexin::codegen::tiled {
namespace {

constexpr unsigned matricesDown = ByteShape::matricesDown;

class ByteTile {
public:
  ByteTile(const packed::Item &item, packed::Epilogue &epilogue, const ByteShape &shape,
           const TilePlace &place)
      : k(item.k), b(k.builder()), item(item), epilogue(epilogue), shape(shape),
        place(place), warp(k, shape), byte(b.getI8Type()) {
    local = k.local(shape.stages * shape.stageElements(), byte);
    slab = k.local(shape.slabRows() * shape.slabPitch(), item.problem.sumType);
    auto isUnsigned = [](Value operand) {
      return elementType(operand).isUnsignedInteger();
    };
    signs = {isUnsigned(item.problem.lhs), isUnsigned(item.problem.rhs)};
    ones = k.intConstant(0x01010101, b.getI32Type(), 4);
    onesRight = k.intConstant(0x01010101, b.getI32Type(), 2);
  }

  void emit() {
    writeWarpTile(item, epilogue, shape, warp, place, slab, withoutZeros(sums()));
  }

private:
  unsigned numSums() const { return matricesDown * shape.matricesAcross(); }
  Value asByte(Value zero) {
    return zero ? arith::TruncIOp::create(b, k.loc(), byte, zero).getResult() : Value();
  }

  /// Of the products; behind them of the left operand's rows, where the right one has a
  /// zero point, and of the right one's columns, where the left one has.
  SmallVector<Value> sums() {
    LhsBytes lhs(item, shape, local, place.firstRow, asByte(item.lhsZeroPoint()));
    RhsBytes rhs(item, shape, local, place.firstColumn, asByte(item.rhsZeroPoint()));
    auto fetch = [&](Value step, Value stage) {
      lhs.fetch(step, stage);
      rhs.fetch(step, stage);
    };
    auto sum = [&](Value stage, ValueRange acc) { return sumSlice(stage, acc); };
    unsigned number = numSums() + (item.rhsZeroPoint() ? matricesDown : 0) +
                      (item.lhsZeroPoint() ? shape.matricesAcross() : 0);
    SmallVector<Value> zeros(number, packed::zeros(k, item.problem.sumType, 4));
    Steps steps{k.value(stepsOf(k, item.problem)), ByteShape::depth, shape.stages,
                shape.stageElements()};
    return sumSteps(k, steps, zeros, fetch, sum);
  }

  SmallVector<Value> sumSlice(Value stage, ValueRange acc) {
    SmallVector<Value> next(acc), left;
    Value *rowSums = next.begin() + numSums();
    Value *columnSums = rowSums + (item.rhsZeroPoint() ? matricesDown : 0);
    for (unsigned i = 0; i < matricesDown; ++i)
      left.push_back(loadLeftBytes(k, local, k.add(leftAt(stage), rowsOn(i * 16))));
    if (item.rhsZeroPoint())
      for (unsigned i = 0; i < matricesDown; ++i)
        rowSums[i] = multiplyBytes(k, signs, left[i], onesRight, rowSums[i]);
    for (unsigned j = 0; j < shape.matricesAcross(); j += 2) {
      auto right = loadRightBytes(k, local, k.add(rightAt(stage), rowsOn(j * 8)));
      for (unsigned which : {0u, 1u}) {
        for (unsigned i = 0; i < matricesDown; ++i) {
          Value &sum = next[i * shape.matricesAcross() + j + which];
          sum = multiplyBytes(k, signs, left[i], right[which], sum);
        }
        if (item.lhsZeroPoint())
          columnSums[j + which] =
              multiplyBytes(k, signs, ones, right[which], columnSums[j + which]);
      }
    }
    return next;
  }

  Value rowsOn(unsigned rows) { return k.index(rows * ByteShape::pitch); }

  /// Where the thread finds its rows of operands (ByteMatrices.h).
  Value leftAt(Value stage) {
    Value row = k.add(k.mul(warp.warpDown, k.index(ByteShape::warpRows)),
                      k.rem(warp.lane, k.index(16)));
    Value step = k.mul(k.div(warp.lane, k.index(16)), k.index(16));
    return k.add(stage, k.add(k.mul(row, k.index(ByteShape::pitch)), step));
  }
  Value rightAt(Value stage) {
    Value column = k.add(k.rem(warp.lane, k.index(8)),
                         k.mul(k.div(warp.lane, k.index(16)), k.index(8)));
    column = k.add(column, warp.warpColumn);
    Value step = k.mul(k.rem(k.div(warp.lane, k.index(8)), k.index(2)), k.index(16));
    Value at = k.add(k.mul(column, k.index(ByteShape::pitch)), step);
    return k.add(at, k.add(stage, k.index(shape.rhsStart())));
  }

  SmallVector<Value> withoutZeros(SmallVector<Value> sums) {
    Value lhsZero = item.lhsZeroPoint(), rhsZero = item.rhsZeroPoint();
    auto times = [&](Value x, Value zero) -> Value {
      return arith::MulIOp::create(b, k.loc(), x, k.splat(zero, 4));
    };
    auto subtract = [&](Value &from, Value x) {
      from = arith::SubIOp::create(b, k.loc(), from, x);
    };
    unsigned across = shape.matricesAcross();
    Value *rowSums = sums.begin() + numSums();
    Value *columnSums = rowSums + (rhsZero ? matricesDown : 0);
    for (unsigned i = 0; i < numSums(); ++i) {
      if (rhsZero)
        subtract(sums[i], times(rowSums[i / across], rhsZero));
      if (lhsZero)
        subtract(sums[i], times(columnSums[i % across], lhsZero));
      if (lhsZero && rhsZero)
        sums[i] = arith::AddIOp::create(
            b, k.loc(), sums[i], times(times(k.splat(numSteps(), 4), lhsZero), rhsZero));
    }
    sums.resize(numSums());
    return sums;
  }

  /// All that were summed, those outside too.
  Value numSteps() {
    KExpr slices =
        k.exprs().ceilDiv(stepsOf(k, item.problem), k.constantExpr(ByteShape::depth));
    Value number = k.mul(k.value(slices), k.index(ByteShape::depth));
    return arith::IndexCastOp::create(b, k.loc(), b.getI32Type(), number);
  }

  KernelBuilder &k;
  OpBuilder &b;
  const packed::Item &item;
  packed::Epilogue &epilogue;
  const ByteShape &shape;
  TilePlace place;
  WarpPlace warp;
  Type byte;
  ByteSigns signs;
  Value local, slab, ones, onesRight;
};

} // namespace

bool isOfBytes(const packed::Problem &problem) {
  auto isByte = [](Value operand) { return elementType(operand).isInteger(8); };
  return problem.isInteger && isByte(problem.lhs) && isByte(problem.rhs) &&
         problem.sumType.isInteger(32);
}

std::optional<ByteShape> chooseByteTile(const TeamTraits &team, const ProductSize &size) {
  std::optional<WarpTiling> tiling = chooseWarpTiling(team, size, 64);
  if (!tiling || size.width % ByteShape::block != 0)
    return std::nullopt;
  ByteShape shape{*tiling};
  // Sums of rows and columns and what is turned around take registers, too.
  shape.warpsDown = std::min(shape.warpsDown, 2u);
  unsigned columns = shape.columns();
  shape.warpColumns = std::min(columns, ByteShape::warpSums);
  shape.warpsAcross = columns / shape.warpColumns;
  if (shape.threads() > team.threads || shape.localBytes() > team.localBytes)
    return std::nullopt;
  return shape;
}

void emitByteTile(const packed::Item &item, packed::Epilogue &epilogue,
                  const ByteShape &shape, Value firstRow, Value firstColumn) {
  ByteTile(item, epilogue, shape, {firstRow, firstColumn, shape.threads()}).emit();
}

} // namespace hexin::codegen::tiled
