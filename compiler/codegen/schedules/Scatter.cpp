//===- Scatter.cpp - a copy of the input that updates join in index order ---===//
//
// An item owns a part of the result: it copies that part of the input, then walks
// all the updates in order and applies those that fall into its part. So there
// is one launch, no atomics, and the same sums on every device.
//
//   scatter_elements   a part is a line along the axis, or a block of such lines
//   scatter_nd         a part is a range of slices x a block of a slice's elements
//
//===----------------------------------------------------------------------===//

#include "compiler/codegen/Positions.h"
#include "compiler/codegen/Scalars.h"
#include "compiler/codegen/schedules/Lines.h"
#include "compiler/codegen/schedules/RowLoop.h"
#include "compiler/codegen/schedules/Schedules.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;

namespace hexin::codegen {
namespace {

class ScatterEmitter {
public:
  ScatterEmitter(ElementEmitter &emitter, Operation *op)
      : emitter(emitter), k(emitter.kernel()), b(k.builder()), loc(k.loc()),
        input(op->getOperand(0)), indices(op->getOperand(1)), updates(op->getOperand(2)),
        type(elementType(input)), result(emitter.memrefOfResult(0)),
        in(emitter.sizes(input)) {
    lanes = emitter.lanesOf(input);
  }

  void elements(hx::ScatterElementsOp op) {
    size_t axis = op.getAxis();
    SmallVector<KExpr> updated = emitter.sizes(updates);
    Value size = k.value(in[axis]);
    forEachLine(k, in, axis, lanes, [&](MutableArrayRef<Value> at, unsigned width) {
      k.forLoop(k.index(0), size, k.index(1), {}, [&](Value i, ValueRange) {
        at[axis] = i;
        copy(emitter.linearize(input, at), width);
        return SmallVector<Value>();
      });
      // The updates may cover less than the input along the other axes.
      bool isRow = axis + 1 == in.size();
      Value first = k.index(0), stop = k.value(updated[axis]);
      if (!isRow) {
        first = at.back();
        stop = k.min(k.add(first, k.index(width)), k.value(updated.back()));
      }
      Value isCovered = isInside(at, updated, axis);
      k.ifThen(isCovered, [&] {
        auto update = [&](Value along, Value column) {
          SmallVector<Value> source(at.begin(), at.end());
          source[axis] = along;
          source.back() = column;
          SmallVector<Value> target(source);
          target[axis] = position(emitter.emit(indices, source, 1), axis);
          join(op.getFn(), emitter.linearize(input, target),
               emitter.emit(updates, source, 1));
        };
        auto loop = [&](Value from, Value to, function_ref<void(Value)> body) {
          k.forLoop(from, to, k.index(1), {}, [&](Value i, ValueRange) {
            body(i);
            return SmallVector<Value>();
          });
        };
        if (isRow)
          loop(first, stop, [&](Value i) { update(i, i); });
        else
          loop(k.index(0), k.value(updated[axis]), [&](Value i) {
            loop(first, stop, [&](Value column) { update(i, column); });
          });
      });
    });
  }

  void nd(hx::ScatterNdOp op) {
    hx::Dims indexDims = emitter.dims(indices);
    size_t coordinates = hx::SymbolTable::constantValue(indexDims.back()).value_or(0);
    ArrayRef<KExpr> outer = ArrayRef(in).take_front(coordinates);
    KExpr slices = k.exprs().product(outer);
    KExpr slice = k.exprs().product(ArrayRef(in).drop_front(coordinates));
    SmallVector<KExpr> tuples = emitter.sizes(indices);
    tuples.pop_back();

    // Every range reads all tuples, so there are few; blocks are free.
    int64_t block = k.traits().itemPerElement ? lanes : 1024;
    int64_t numRanges = k.traits().itemPerElement ? 64 : 4;
    KExpr blocks = k.exprs().ceilDiv(slice, k.constantExpr(block));
    KExpr ranges = k.exprs().min(slices, k.constantExpr(numRanges));
    Value rangeSize = k.value(k.exprs().ceilDiv(slices, k.constantExpr(numRanges)));
    Value item = k.beginItems(k.exprs().mul(ranges, blocks));
    SmallVector<Value> part = k.delinearize(item, {ranges, blocks});
    Value firstSlice = k.mul(part[0], rangeSize);
    Value stopSlice = k.min(k.add(firstSlice, rangeSize), k.value(slices));
    Value start = k.mul(part[1], k.index(block));
    Value count = k.min(k.index(block), k.sub(k.value(slice), start));

    auto elementOf = [&](Value sliceNumber, Value i) {
      return k.add(k.mul(sliceNumber, k.value(slice)), k.add(start, i));
    };
    k.forLoop(firstSlice, stopSlice, k.index(1), {}, [&](Value s, ValueRange) {
      forEachInRow(k, count, lanes,
                   [&](Value i, unsigned width) { copy(elementOf(s, i), width); });
      return SmallVector<Value>();
    });
    Value indexMemref = emitter.memrefOf(indices),
          updateMemref = emitter.memrefOf(updates);
    Type indexType = elementType(indices);
    Value numTuples = k.value(k.exprs().product(tuples));
    k.forLoop(k.index(0), numTuples, k.index(1), {}, [&](Value tuple, ValueRange) {
      Value target = k.index(0);
      for (size_t c = 0; c < coordinates; ++c) {
        Value at = k.add(k.mul(tuple, k.index(coordinates)), k.index(c));
        Value i = position(k.load(indexMemref, at, 1, indexType), c);
        target = k.add(k.mul(target, k.value(outer[c])), i);
      }
      Value isMine = arith::AndIOp::create(
          b, loc,
          arith::CmpIOp::create(b, loc, arith::CmpIPredicate::sge, target, firstSlice),
          k.less(target, stopSlice));
      k.ifThen(isMine, [&] {
        forEachInRow(k, count, lanes, [&](Value i, unsigned width) {
          join(op.getFn(), elementOf(target, i),
               k.load(updateMemref, elementOf(tuple, i), width, type));
        });
      });
      return SmallVector<Value>();
    });
  }

private:
  void copy(Value element, unsigned width) {
    k.store(result, element, k.load(emitter.memrefOf(input), element, width, type), type);
  }

  void join(hx::ScatterFn fn, Value element, Value update) {
    auto vector = dyn_cast<VectorType>(update.getType());
    unsigned width = vector ? vector.getNumElements() : 1;
    if (fn != hx::ScatterFn::set) {
      hx::BinaryFn binary = fn == hx::ScatterFn::add   ? hx::BinaryFn::add
                            : fn == hx::ScatterFn::mul ? hx::BinaryFn::mul
                            : fn == hx::ScatterFn::max ? hx::BinaryFn::max
                                                       : hx::BinaryFn::min;
      update = emitBinary(k, binary, k.load(result, element, width, type), update, type);
    }
    k.store(result, element, update, type);
  }

  Value position(Value stored, size_t axis) {
    bool isInside = areInside(k.shapes(), indices, emitter.dims(input)[axis]);
    return codegen::position(k, stored, in[axis], isInside);
  }

  /// Whether `at` is inside of `sizes`, but for `axis` and the last axis.
  Value isInside(ArrayRef<Value> at, ArrayRef<KExpr> sizes, size_t axis) {
    Value inside = k.intConstant(1, b.getI1Type(), 1);
    for (size_t i = 0; i + 1 < sizes.size(); ++i)
      if (i != axis)
        inside = arith::AndIOp::create(b, loc, inside, k.less(at[i], k.value(sizes[i])));
    return inside;
  }

  ElementEmitter &emitter;
  KernelBuilder &k;
  OpBuilder &b;
  Location loc;
  Value input, indices, updates;
  Type type;
  Value result;
  SmallVector<KExpr> in;
  unsigned lanes = 1;
};

std::string refusal(hx::GroupOp group, hx::SymbolicShapes &) {
  return isa_and_nonnull<hx::ScatterElementsOp, hx::ScatterNdOp>(heavyOp(group))
             ? ""
             : notMine;
}

LogicalResult emit(ElementEmitter &emitter) {
  Operation *heavy = heavyOp(emitter.groupOp());
  ScatterEmitter scatter(emitter, heavy);
  if (auto elements = dyn_cast<hx::ScatterElementsOp>(heavy))
    scatter.elements(elements);
  else
    scatter.nd(cast<hx::ScatterNdOp>(heavy));
  return success();
}

} // namespace

const Schedule scatterSchedule = {"scatter", refusal, emit};

} // namespace hexin::codegen
