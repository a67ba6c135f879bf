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
#include "compiler/codegen/schedules/AxisRuns.h"
#include "compiler/codegen/schedules/Schedules.h"
#include "compiler/codegen/schedules/packed/Sums.h"

using namespace mlir;

namespace hexin::codegen {
namespace {

constexpr unsigned tile = 32, pitch = tile + 1;

/// The only op of the group that is not elementwise, or null.
hx::TransposeOp onlyTranspose(hx::GroupOp group) {
  hx::TransposeOp found;
  for (Operation &op : group.getBody().front().without_terminator()) {
    if (op.hasTrait<hx::HxElementwise>() || isa<hx::ConstantOp>(op))
      continue;
    if (found || !isa<hx::TransposeOp>(op))
      return {};
    found = cast<hx::TransposeOp>(op);
  }
  return found;
}

class TransposeTile {
public:
  TransposeTile(ElementEmitter &emitter, hx::TransposeOp op)
      : emitter(emitter), k(emitter.kernel()), op(op), perm(op.getPerm()),
        runs(runsOf(perm)), far(lastOfOperand(runs, perm)),
        sizes(emitter.sizes(op.getResult())) {
    for (const AxisRun &run : runs)
      extents.push_back(
          k.exprs().product(ArrayRef(sizes).slice(run.first, run.end - run.first)));
  }

  void emit() {
    unsigned threads = std::min(256u, k.traits().team.threads);
    SmallVector<KExpr> space(extents);
    for (size_t tiled : {far, runs.size() - 1})
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
    move(far, alongFar);
    move(runs.size() - 1, alongLast);
    k.ifThen(packed::allOf(k, inside), [&] {
      SmallVector<Value> index;
      for (auto [run, along] : llvm::zip_equal(runs, place))
        llvm::append_range(
            index,
            k.delinearize(along, ArrayRef(sizes).slice(run.first, run.end - run.first)));
      body(index);
    });
  }

  void read(Value alongFar, Value alongLast) {
    where(alongFar, alongLast, [&](ArrayRef<Value> index) {
      SmallVector<Value> source(index.size());
      for (auto [axis, from] : llvm::enumerate(perm))
        source[from] = index[axis];
      Value element = emitter.emit(op.getInput(), source, 1);
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
  ArrayRef<int64_t> perm;
  SmallVector<AxisRun> runs;
  size_t far; ///< the run that is last in the operand
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
  ArrayRef<int64_t> perm = op.getPerm();
  SmallVector<AxisRun> runs = runsOf(perm);
  hx::Dims dims = shapes.dims(op.getResult());
  for (Value result : group.getBody().front().getTerminator()->getOperands())
    if (shapes.dims(result) != dims)
      return "results of other sizes";
  if (perm.empty() || lastOfOperand(runs, perm) == runs.size() - 1)
    return "the last axis stays";
  if (computeType(elementType(op.getResult())).isInteger(1))
    return "of booleans";
  auto isBelow = [&](ArrayRef<hx::Dim> of, int64_t bound) {
    auto size = hx::SymbolTable::constantValue(shapes.symbols().product(of));
    return size && *size < bound;
  };
  for (size_t tiled : {lastOfOperand(runs, perm), runs.size() - 1}) {
    auto [first, end] = runs[tiled];
    if (isBelow(ArrayRef(dims).slice(first, end - first), narrow))
      return "narrow";
  }
  return isBelow(dims, fewElements) ? "few elements" : "";
}

} // namespace

const Schedule teamTransposeSchedule = {"team_transpose", refusal, emitTranspose};

} // namespace hexin::codegen
