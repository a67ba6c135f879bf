//===- Transpose.cpp - the last axis changes: tiles through local memory ----===//
//
// Where a transpose moves the last axis, neighbours of the operand are no neighbours of
// the result: whichever way threads go, one of both is read or written element by
// element from far apart. A team takes a tile of both:
//
//   [H, W, C] -> [C, H, W]    32 x 32 of (H W, C)
//     all threads: elements along C, as the operand has them, into local memory
//     all threads: elements along W, as the result has them; elementwise ops; store
//
// Axes that are neighbours in both are one (here H and W). Rows of local memory are 33
// elements apart, so that its columns lie in different banks.
//
//===----------------------------------------------------------------------===//

#include "compiler/codegen/AsyncCopy.h"
#include "compiler/codegen/schedules/MovedAxes.h"
#include "compiler/codegen/schedules/Schedules.h"
#include "compiler/codegen/schedules/packed/Sums.h"

using namespace mlir;

namespace hexin::codegen {
namespace {

constexpr unsigned tile = 32, pitch = tile + 1;

class TransposeTile {
public:
  TransposeTile(ElementEmitter &emitter, hx::TransposeOp op)
      : emitter(emitter), k(emitter.kernel()), op(op), axes(op.getPerm()),
        sizes(emitter.sizes(op.getResult())) {
    for (size_t run = 0; run < axes.runs.size(); ++run)
      extents.push_back(axes.extent(k, sizes, run));
  }

  void emit() {
    unsigned threads = std::min(256u, k.traits().team.threads);
    SmallVector<KExpr> space(extents);
    for (size_t tiled : {axes.far, axes.last()})
      space[tiled] = k.exprs().ceilDiv(extents[tiled], k.constantExpr(tile));
    Value item = k.beginTeamItems(k.exprs().product(space), threads);
    at = k.delinearize(item, space);
    local = k.local(tile * pitch, computeType(elementType(op.getResult())));
    emitter.provide(op.getResult(),
                    [this](ArrayRef<Value>, unsigned) { return current; });
    Value across = k.rem(k.thread(), k.index(tile)),
          down = k.div(k.thread(), k.index(tile));
    auto forRows = [&](function_ref<void(Value)> body) {
      k.forLoop(down, k.index(tile), k.index(threads / tile), {},
                [&](Value row, ValueRange) {
                  body(row);
                  return SmallVector<Value>();
                });
    };
    forRows([&](Value row) { read(across, row); });
    k.barrier();
    forRows([&](Value row) { write(row, across); });
    k.barrier();
  }

private:
  /// body(index of the result) where there is an element so far along both runs.
  void where(Value alongFar, Value alongLast, function_ref<void(ArrayRef<Value>)> body) {
    SmallVector<Value> place(at), inside;
    auto move = [&](size_t run, Value along) {
      place[run] = k.add(k.mul(at[run], k.index(tile)), along);
      inside.push_back(k.less(place[run], k.value(extents[run])));
    };
    move(axes.far, alongFar);
    move(axes.last(), alongLast);
    k.ifThen(packed::allOf(k, inside), [&] { body(axes.indexAt(k, sizes, place)); });
  }

  void read(Value alongFar, Value alongLast) {
    where(alongFar, alongLast, [&](ArrayRef<Value> index) {
      Value element = emitter.emit(op.getInput(), axes.sourceOf(index), 1);
      storeLocal(k, local, k.add(k.mul(alongLast, k.index(pitch)), alongFar), element);
    });
  }

  void write(Value alongFar, Value alongLast) {
    where(alongFar, alongLast, [&](ArrayRef<Value> index) {
      Value from = k.add(k.mul(alongLast, k.index(pitch)), alongFar);
      current = loadLocal(k, local, from, 1);
      unsigned numResults = emitter.groupOp().getNumResults();
      SmallVector<Value> values;
      for (unsigned result = 0; result < numResults; ++result)
        values.push_back(emitter.emit(emitter.yielded(result), index, 1));
      for (unsigned result = 0; result < numResults; ++result)
        emitter.store(result, index, values[result]);
    });
  }

  ElementEmitter &emitter;
  KernelBuilder &k;
  hx::TransposeOp op;
  MovedAxes axes;
  SmallVector<KExpr> sizes, extents;
  SmallVector<Value> at; ///< of each run, the two last ones in tiles
  Value local, current;
};

LogicalResult emitTranspose(ElementEmitter &emitter) {
  TransposeTile(emitter, onlyTranspose(emitter.groupOp())).emit();
  return success();
}

std::string refusal(hx::GroupOp group, hx::SymbolicShapes &shapes) {
  hx::TransposeOp op = onlyTranspose(group);
  if (!op)
    return notMine;
  constexpr int64_t fewElements = 1 << 13, narrow = 8;
  MovedAxes axes(op.getPerm());
  hx::Dims dims = shapes.dims(op.getResult());
  for (Value result : group.getBody().front().getTerminator()->getOperands())
    if (shapes.dims(result) != dims)
      return "results of other sizes";
  if (!axes.movesLast())
    return "the last axis stays";
  if (computeType(elementType(op.getResult())).isInteger(1))
    return "of booleans";
  for (size_t tiled : {axes.far, axes.last()})
    if (auto extent = axes.knownExtent(shapes, dims, tiled); extent && *extent < narrow)
      return "narrow";
  auto elements = hx::SymbolTable::constantValue(shapes.symbols().product(dims));
  return elements && *elements < fewElements ? "few elements" : "";
}

} // namespace

const Schedule teamTransposeSchedule = {"team_transpose", refusal, emitTranspose};

} // namespace hexin::codegen
