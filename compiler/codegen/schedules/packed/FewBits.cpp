#include "compiler/codegen/schedules/packed/FewBits.h"

#include "compiler/codegen/Scalars.h"
#include "compiler/codegen/schedules/packed/Sums.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;

namespace hexin::codegen::packed {

FewBitPanel::FewBitPanel(ElementEmitter &emitter, const Problem &problem, Value panel)
    : k(emitter.kernel()), problem(problem), format(*problem.fewBits) {
  KExpr perByte = k.constantExpr(format.perByte());
  KExpr blocks = k.exprs().floorDiv(problem.depth, k.constantExpr(format.block));
  bytes = bind(emitter, problem.rhs, k.exprs().floorDiv(problem.depth, perByte), panel);
  scales = bind(emitter, format.scales, blocks, panel);
  if (format.zeroPoint)
    zeros = bind(emitter, format.zeroPoint,
                 format.hasPackedZeros() ? k.exprs().ceilDiv(blocks, perByte) : blocks,
                 panel);
}

FewBitPanel::Table FewBitPanel::bind(ElementEmitter &emitter, Value operand, KExpr rows,
                                     Value panel) {
  KExpr width = k.constantExpr(problem.width);
  KExpr panels = k.exprs().ceilDiv(problem.columns, width);
  KExpr panelSize = k.exprs().mul(rows, width);
  unsigned argument = cast<BlockArgument>(operand).getArgNumber();
  return {
      k.bind(emitter.groupOp().getInputs()[argument], k.exprs().mul(panels, panelSize)),
      k.mul(panel, k.value(panelSize)), elementType(operand)};
}

Value FewBitPanel::at(const Table &table, Value row, Value column) const {
  return k.add(k.add(table.base, k.mul(row, k.index(problem.width))), column);
}

Value FewBitPanel::loadBytes(const Table &table, Value row, Value column,
                             unsigned lanes) const {
  Value narrow = k.load(table.memref, at(table, row, column), lanes, table.type);
  Type wide = withLanes(k.builder().getI32Type(), lanes);
  if (table.type.isSignlessInteger())
    return arith::ExtSIOp::create(k.builder(), k.loc(), wide, narrow);
  return arith::ExtUIOp::create(k.builder(), k.loc(), wide, narrow);
}

Value FewBitPanel::numbersAt(Value bytes, Value shift, bool isLast,
                             unsigned lanes) const {
  OpBuilder &b = k.builder();
  if (shift)
    bytes = arith::ShRUIOp::create(b, k.loc(), bytes, shift);
  if (!isLast)
    bytes = arith::AndIOp::create(
        b, k.loc(), bytes, k.intConstant((1 << format.bits) - 1, b.getI32Type(), lanes));
  return arith::SIToFPOp::create(b, k.loc(), withLanes(problem.sumType, lanes), bytes);
}

SmallVector<Value> FewBitPanel::loadNumbers(Value row, Value column,
                                            unsigned lanes) const {
  Value all = loadBytes(bytes, row, column, lanes);
  Type i32 = k.builder().getI32Type();
  SmallVector<Value> numbers;
  for (unsigned shift = 0; shift < 8; shift += format.bits)
    numbers.push_back(numbersAt(all,
                                shift == 0 ? Value() : k.intConstant(shift, i32, lanes),
                                shift + format.bits == 8, lanes));
  return numbers;
}

Value FewBitPanel::loadFloats(const Table &table, Value row, Value column,
                              unsigned lanes) const {
  return emitCast(k, k.load(table.memref, at(table, row, column), lanes, table.type),
                  table.type, problem.sumType);
}

Value FewBitPanel::loadScale(Value block, Value column, unsigned lanes) const {
  return loadFloats(scales, block, column, lanes);
}

Value FewBitPanel::loadZero(Value block, Value column, unsigned lanes) const {
  if (!format.zeroPoint && bytes.type.isSignlessInteger())
    return k.floatConstant(0, problem.sumType, lanes);
  if (!format.zeroPoint)
    return k.floatConstant(1 << (format.bits - 1), problem.sumType, lanes);
  if (!format.hasPackedZeros())
    return loadFloats(zeros, block, column, lanes);
  Value perByte = k.index(format.perByte());
  Value all = loadBytes(zeros, k.div(block, perByte), column, lanes);
  Value shift = arith::IndexCastOp::create(
      k.builder(), k.loc(), k.builder().getI32Type(),
      k.mul(k.rem(block, perByte), k.index(static_cast<int64_t>(format.bits))));
  return numbersAt(all, k.splat(shift, lanes), /*isLast=*/false, lanes);
}

namespace {

/// The sums of a tile, block by block of the depth.
class FewBitSums {
public:
  FewBitSums(const Item &item, ArrayRef<Value> bases, Value column, Vectors vectors)
      : item(item), bases(bases), column(column), vectors(vectors), k(item.k),
        b(k.builder()), loc(k.loc()), panel(*item.fewBits),
        format(*item.problem.fewBits) {}

  Accumulators run(ValueRange init) {
    Value blocks = k.div(k.value(item.problem.depth), k.index(format.block));
    return k.forLoop(k.index(0), blocks, k.index(1), init,
                     [&](Value block, ValueRange acc) { return addBlock(block, acc); });
  }

private:
  /// One row scales the sum of a block; its places in a byte are summed apart, for more
  /// sums that do not wait for each other. Several rows share scaled weights.
  bool hasOneRow() const { return bases.size() == 1; }

  Accumulators addBlock(Value block, ValueRange acc) {
    scales.clear();
    zeros.clear();
    for (unsigned v = 0; v < vectors.perRow; ++v) {
      scales.push_back(panel.loadScale(block, columnOf(v), vectors.lanes));
      zeros.push_back(panel.loadZero(block, columnOf(v), vectors.lanes));
    }
    Value blockBytes = k.index(format.block / format.perByte());
    Value firstByte = k.mul(block, blockBytes);
    Accumulators sums(acc);
    if (hasOneRow())
      sums.assign(format.perByte() * vectors.perRow,
                  packed::zeros(k, item.problem.sumType, vectors.lanes));
    sums = k.forLoop(k.index(0), blockBytes, k.index(1), sums,
                     [&](Value byte, ValueRange carried) {
                       return addByte(k.add(firstByte, byte), carried);
                     });
    if (!hasOneRow())
      return sums;
    Accumulators next;
    for (unsigned v = 0; v < vectors.perRow; ++v) {
      Value sum = sums[v];
      for (unsigned place = 1; place < format.perByte(); ++place)
        sum = arith::AddFOp::create(b, loc, sum, sums[place * vectors.perRow + v]);
      next.push_back(math::FmaOp::create(b, loc, sum, scales[v], acc[v]));
    }
    return next;
  }

  Accumulators addByte(Value byte, ValueRange acc) {
    SmallVector<SmallVector<Value>> weights; // [vector][place]
    for (unsigned v = 0; v < vectors.perRow; ++v) {
      weights.push_back(panel.loadNumbers(byte, columnOf(v), vectors.lanes));
      for (Value &weight : weights.back()) {
        weight = arith::SubFOp::create(b, loc, weight, zeros[v]);
        if (!hasOneRow())
          weight = arith::MulFOp::create(b, loc, weight, scales[v]);
      }
    }
    Accumulators next(acc);
    Value firstNumber = k.mul(byte, k.index(format.perByte()));
    for (unsigned place = 0; place < format.perByte(); ++place)
      for (size_t r = 0; r < bases.size(); ++r) {
        Value at = k.add(bases[r], k.add(firstNumber, k.index(place)));
        Value x = k.splat(item.loadLhs(at, 1), vectors.lanes);
        for (unsigned v = 0; v < vectors.perRow; ++v) {
          Value &sum = next[(hasOneRow() ? place : r) * vectors.perRow + v];
          sum = math::FmaOp::create(b, loc, x, weights[v][place], sum);
        }
      }
    return next;
  }

  Value columnOf(unsigned v) const { return k.add(column, k.index(v * vectors.lanes)); }

  const Item &item;
  ArrayRef<Value> bases;
  Value column;
  Vectors vectors;
  KernelBuilder &k;
  OpBuilder &b;
  Location loc;
  const FewBitPanel &panel;
  const FewBits &format;
  SmallVector<Value> scales, zeros; ///< of the block at hand, per vector
};

} // namespace

bool paysToUnpack(const Item &item) {
  constexpr int64_t maxBytes = 1 << 20;
  KernelBuilder &k = item.k;
  const Problem &problem = item.problem;
  std::optional<int64_t> numSteps = problem.fewBits->numSteps;
  return k.traits().workspaces && problem.sumType.isF32() && numSteps &&
         *numSteps * problem.width * int64_t(sizeof(float)) <= maxBytes;
}

Value panelMemory(const Item &item) {
  KernelBuilder &k = item.k;
  return k.workspace(
      k.exprs().mul(item.problem.depth, k.constantExpr(item.problem.width)));
}

void unpackPanel(const Item &item, const Item &unpacked) {
  KernelBuilder &k = item.k;
  OpBuilder &b = k.builder();
  const Problem &problem = item.problem;
  const FewBits &format = *problem.fewBits;
  unsigned lanes = std::min<unsigned>(k.traits().vectorLanes, problem.width);
  Value perByte = k.index(format.perByte()), width = k.index(problem.width);
  Value blockBytes = k.index(format.block / format.perByte());
  Value blocks = k.div(k.value(problem.depth), k.index(format.block));
  constexpr int64_t bytesARound = 4; // a block has as many, or a multiple
  k.forLoop(k.index(0), blocks, k.index(1), {}, [&](Value block, ValueRange) {
    SmallVector<Value> scales, zeros;
    for (int64_t c = 0; c < problem.width; c += lanes) {
      scales.push_back(item.fewBits->loadScale(block, k.index(c), lanes));
      zeros.push_back(item.fewBits->loadZero(block, k.index(c), lanes));
    }
    auto writeRow = [&](Value byte) {
      for (auto [v, scale] : llvm::enumerate(scales)) {
        Value column = k.index(v * lanes);
        Value at = k.add(k.mul(k.mul(byte, perByte), width), column);
        for (Value number : item.fewBits->loadNumbers(byte, column, lanes)) {
          number = arith::SubFOp::create(b, k.loc(), number, zeros[v]);
          number = arith::MulFOp::create(b, k.loc(), number, scale);
          k.store(unpacked.panelMemory(), at, number, problem.sumType);
          at = k.add(at, width);
        }
      }
    };
    Value first = k.mul(block, blockBytes);
    k.forLoop(first, k.add(first, blockBytes), k.index(bytesARound), {},
              [&](Value byte, ValueRange) {
                for (int64_t i = 0; i < bytesARound; ++i)
                  writeRow(k.add(byte, k.index(i)));
                return SmallVector<Value>();
              });
    return SmallVector<Value>();
  });
}

Accumulators sumFewBits(const Item &item, ArrayRef<Value> bases, Value columnInPanel,
                        ValueRange init, Vectors vectors) {
  return FewBitSums(item, bases, columnInPanel, vectors).run(init);
}

} // namespace hexin::codegen::packed
