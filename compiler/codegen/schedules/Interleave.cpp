//===- Interleave.cpp - a few long rows become one of neighbours ------------------===//
//
// A transpose of the last two axes whose result has short rows: the channels of images,
// channels shuffled between groups. A vector of each of the operand's rows is shuffled
// with the others' into one piece of the result:
//
//   [3, W] -> [W, 3]      r0 r1 r2 r3
//                         g0 g1 g2 g3   ->   r0 g0 b0 r1 g1 b1 r2 g2 b2 r3 g3 b3
//                         b0 b1 b2 b3
//
// What is left at the end of the rows is a vector that overlaps the one before, or, where
// they are shorter than vectors, single elements.
//
//===----------------------------------------------------------------------===//

#include "compiler/codegen/schedules/Schedules.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/ADT/bit.h"

using namespace mlir;

namespace hexin::codegen {
namespace {

/// Rows that are read at a time.
constexpr int64_t maxRows = 16;
/// Elements of a row, below which vectors hardly help.
constexpr int64_t minLanes = 4;
/// Elements that an item writes, about.
constexpr int64_t itemElements = 2048;

hx::TransposeOp transposeOf(hx::GroupOp group) {
  Operation *yield = group.getBody().front().getTerminator();
  if (yield->getNumOperands() != 1)
    return {};
  return yield->getOperand(0).getDefiningOp<hx::TransposeOp>();
}

std::string refusal(hx::GroupOp group, hx::SymbolicShapes &shapes) {
  hx::TransposeOp op = transposeOf(group);
  if (!op)
    return notMine;
  ArrayRef<int64_t> perm = op.getPerm();
  size_t rank = perm.size();
  if (rank < 2 || perm[rank - 1] != static_cast<int64_t>(rank) - 2 ||
      perm[rank - 2] != static_cast<int64_t>(rank) - 1)
    return notMine;
  hx::Dims dims = shapes.dims(op.getResult());
  auto rows = hx::SymbolTable::constantValue(dims[rank - 1]);
  auto length = hx::SymbolTable::constantValue(dims[rank - 2]);
  if (!rows || *rows < 2 || *rows > maxRows || (length && *length < minLanes))
    return notMine;
  return "";
}

class Interleaver {
public:
  explicit Interleaver(ElementEmitter &emitter)
      : emitter(emitter), k(emitter.kernel()), op(transposeOf(emitter.groupOp())),
        sizes(emitter.sizes(op.getResult())) {
    rows = *hx::SymbolTable::constantValue(emitter.dims(op.getResult()).back());
    known =
        hx::SymbolTable::constantValue(*std::next(emitter.dims(op.getResult()).rbegin()));
    lanes = emitter.lanesOf(op.getInput());
    if (known)
      lanes = std::min<unsigned>(lanes, llvm::bit_floor(static_cast<uint64_t>(*known)));
    sizes.pop_back();
    length = sizes.back();
    sizes.pop_back();
  }

  /// An item is a piece of a long row, or some short ones.
  void emit() {
    int64_t most = std::max<int64_t>(lanes, itemElements / rows / lanes * lanes);
    int64_t piece = known ? std::min(most, *known) : most;
    int64_t together = std::max<int64_t>(1, most / piece);
    KExpr outer = k.exprs().product(sizes);
    KExpr blocks = k.exprs().ceilDiv(outer, k.constantExpr(together));
    SmallVector<KExpr> space{blocks, k.exprs().ceilDiv(length, k.constantExpr(piece))};
    Value item = k.beginItems(k.exprs().product(space));
    k.use.grain = 8;
    SmallVector<Value> at = k.delinearize(item, space);
    Value first = k.mul(at[0], k.index(together));
    Value last = k.min(k.add(first, k.index(together)), k.value(outer));
    Value from = k.mul(at[1], k.index(piece));
    Value to = k.min(k.add(from, k.index(piece)), k.value(length));
    k.forLoop(first, last, k.index(1), {}, [&](Value number, ValueRange) {
      emitPiece(k.delinearize(number, sizes), from, to);
      return SmallVector<Value>();
    });
  }

private:
  void emitPiece(const SmallVector<Value> &outer, Value from, Value to) {
    auto byVectors = [&] {
      Value lastStart = k.sub(k.value(length), k.index(lanes));
      k.forLoop(from, to, k.index(lanes), {}, [&](Value i, ValueRange) {
        emitVectors(outer, k.min(i, lastStart));
        return SmallVector<Value>();
      });
      return SmallVector<Value>();
    };
    auto byElements = [&] {
      k.forLoop(from, to, k.index(1), {}, [&](Value i, ValueRange) {
        for (int64_t row = 0; row < rows; ++row)
          emitter.store(0, resultAt(outer, i, row),
                        emitter.emit(op.getInput(), operandAt(outer, row, i), 1));
        return SmallVector<Value>();
      });
      return SmallVector<Value>();
    };
    if (lanes == 1)
      return void(byElements());
    if (known)
      return void(byVectors());
    Value isShort = k.less(k.value(length), k.index(lanes));
    k.ifElse(isShort, {}, byElements, byVectors);
  }

  void emitVectors(const SmallVector<Value> &outer, Value i) {
    SmallVector<Value> vectors;
    for (int64_t row = 0; row < rows; ++row)
      vectors.push_back(emitter.emit(op.getInput(), operandAt(outer, row, i), lanes));
    emitter.store(0, resultAt(outer, i, 0), interleave(vectors));
  }

  /// Halves first, so that a power of two takes but shuffles of equal vectors.
  Value interleave(ArrayRef<Value> vectors) {
    size_t count = vectors.size();
    if (count == 1)
      return vectors[0];
    if (count % 2 == 0) {
      SmallVector<Value> even, odd;
      for (size_t v = 0; v < count; ++v)
        (v % 2 == 0 ? even : odd).push_back(vectors[v]);
      Value x = interleave(even), y = interleave(odd);
      int64_t size = cast<VectorType>(x.getType()).getNumElements();
      SmallVector<int64_t> order;
      for (int64_t i = 0; i < size; ++i)
        order.append({i, size + i});
      return shuffle(x, y, order);
    }
    // An odd one: the last joins what the others are already.
    Value others = interleave(vectors.drop_back());
    int64_t size = cast<VectorType>(others.getType()).getNumElements();
    int64_t width = count - 1;
    SmallVector<int64_t> widen, order;
    for (int64_t i = 0; i < size; ++i)
      widen.push_back(i < lanes ? i : -1);
    for (int64_t i = 0; i < lanes; ++i) {
      for (int64_t j = 0; j < width; ++j)
        order.push_back(i * width + j);
      order.push_back(size + i);
    }
    return shuffle(others, shuffle(vectors.back(), vectors.back(), widen), order);
  }

  Value shuffle(Value x, Value y, ArrayRef<int64_t> order) {
    return vector::ShuffleOp::create(k.builder(), k.loc(), x, y, order);
  }

  SmallVector<Value> operandAt(const SmallVector<Value> &outer, int64_t row, Value i) {
    SmallVector<Value> at(outer);
    at.append({k.index(row), i});
    return at;
  }

  SmallVector<Value> resultAt(const SmallVector<Value> &outer, Value i, int64_t row) {
    SmallVector<Value> at(outer);
    at.append({i, k.index(row)});
    return at;
  }

  ElementEmitter &emitter;
  KernelBuilder &k;
  hx::TransposeOp op;
  SmallVector<KExpr> sizes;     ///< of the axes before the last two
  KExpr length;                 ///< of the operand's rows
  std::optional<int64_t> known; ///< the same, where it is
  int64_t rows = 0;
  int64_t lanes = 1;
};

LogicalResult emit(ElementEmitter &emitter) {
  if (!emitter.kernel().traits().longVectors)
    return mapSchedule.emit(emitter);
  Interleaver(emitter).emit();
  return success();
}

} // namespace

const Schedule interleaveSchedule = {"interleave", refusal, emit};

} // namespace hexin::codegen
