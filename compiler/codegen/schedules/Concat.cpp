//===- Concat.cpp - rows side by side ---------------------------------------===//
//
// Along the last axis: an item owns a block of rows and writes each row operand by
// operand, so that every copy is a vector loop. Elementwise ops before and behind are
// computed on the way.
//
//===----------------------------------------------------------------------===//

#include "compiler/codegen/schedules/RowLoop.h"
#include "compiler/codegen/schedules/Schedules.h"

using namespace mlir;

namespace hexin::codegen {
namespace {

/// Elements that an item writes, about.
constexpr int64_t itemElements = 1024;

std::string refusal(hx::GroupOp group, hx::SymbolicShapes &shapes) {
  auto concat = dyn_cast_or_null<hx::ConcatOp>(heavyOp(group));
  if (!concat)
    return notMine;
  hx::Dims dims = shapes.dims(concat.getResult());
  if (static_cast<size_t>(concat.getAxis()) + 1 != dims.size())
    return "not along the last axis";
  dims.pop_back();
  auto rows = hx::SymbolTable::constantValue(shapes.symbols().product(dims));
  return rows && *rows < 8 ? "too few rows" : "";
}

/// The widest vectors that leave nothing over, if they are not too narrow.
unsigned lanesFor(hx::Dim count, unsigned most) {
  auto known = hx::SymbolTable::constantValue(count);
  for (unsigned lanes = most; known && lanes >= 4; lanes /= 2)
    if (*known % lanes == 0)
      return lanes;
  return most;
}

LogicalResult emit(ElementEmitter &emitter) {
  KernelBuilder &k = emitter.kernel();
  if (k.traits().itemPerElement)
    return mapSchedule.emit(emitter);
  auto concat = cast<hx::ConcatOp>(heavyOp(emitter.groupOp()));
  SmallVector<KExpr> outer = emitter.sizes(concat.getResult());
  outer.pop_back();
  KExpr rows = k.exprs().product(outer);
  auto width = hx::SymbolTable::constantValue(emitter.dims(concat.getResult()).back());
  int64_t block =
      width ? std::max<int64_t>(1, itemElements / std::max<int64_t>(1, *width)) : 1;
  Value item = k.beginItems(k.exprs().ceilDiv(rows, k.constantExpr(block)));
  k.use.grain = 16;
  Value start = k.mul(item, k.index(block));
  Value stop = k.min(k.add(start, k.index(block)), k.value(rows));

  // What follows the concat is asked for its lanes as if it stood alone.
  emitter.provide(concat.getResult(), {});
  unsigned lanesBehind = emitter.lanesOf(emitter.yielded());
  k.forLoop(start, stop, k.index(1), {}, [&](Value row, ValueRange) {
    SmallVector<Value> index = k.delinearize(row, outer);
    index.push_back(k.index(0));
    Value offset = k.index(0);
    for (Value input : concat.getInputs()) {
      Value count = k.value(emitter.sizes(input).back());
      unsigned lanes = lanesFor(emitter.dims(input).back(),
                                std::min(emitter.lanesOf(input), lanesBehind));
      forEachInRow(k, count, lanes, [&](Value i, unsigned width) {
        SmallVector<Value> at(index);
        at.back() = i;
        emitter.provide(concat.getResult(), [&](ArrayRef<Value>, unsigned) {
          return emitter.emit(input, at, width);
        });
        SmallVector<Value> target(index);
        target.back() = k.add(offset, i);
        emitter.store(0, target, emitter.emit(emitter.yielded(), target, width));
      });
      offset = k.add(offset, count);
    }
    return SmallVector<Value>();
  });
  return success();
}

} // namespace

const Schedule concatSchedule = {"concat", refusal, emit};

} // namespace hexin::codegen
