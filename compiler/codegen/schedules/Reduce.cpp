//===- Reduce.cpp - reductions over any axes, in an order that sizes decide -===//
//
// With the innermost axis reduced an item (or a team) owns one result element and
// folds rows; with it kept, an item owns a vector of neighbouring results and folds
// columns.
//
//===----------------------------------------------------------------------===//

#include "compiler/codegen/Scalars.h"
#include "compiler/codegen/schedules/Lines.h"
#include "compiler/codegen/schedules/RowLoop.h"
#include "compiler/codegen/schedules/Schedules.h"

using namespace mlir;

namespace hexin::codegen {
namespace {

/// `isTeam`: one owns an element, with the innermost axis reduced.
LogicalResult emitReduce(ElementEmitter &emitter, bool isTeam) {
  KernelBuilder &k = emitter.kernel();
  auto reduce = cast<hx::ReduceOp>(heavyOp(emitter.groupOp()));
  Value input = reduce.getInput();
  Type type = elementType(input);
  hx::ReduceFn fn = reduce.getFn();
  SmallVector<KExpr> in = emitter.sizes(input);
  llvm::SmallBitVector isReduced(in.size());
  for (int64_t axis : reduce.getAxes())
    isReduced.set(axis);
  SmallVector<KExpr> rootSizes = emitter.sizes(emitter.yielded());

  Value folded; // what the provider gives while the epilogue is written
  emitter.provide(reduce.getResult(), [&](ArrayRef<Value>, unsigned) { return folded; });

  /// Index of the input for a result index; reduced axes get `inner`.
  auto inputIndex = [&](ArrayRef<Value> at, ArrayRef<Value> inner) {
    SmallVector<Value> index;
    size_t kept = 0, reducedSeen = 0;
    for (size_t axis = 0; axis < in.size(); ++axis) {
      if (isReduced[axis]) {
        index.push_back(inner[reducedSeen++]);
        kept += reduce.getKeepDims();
      } else {
        index.push_back(at[kept++]);
      }
    }
    return index;
  };
  SmallVector<KExpr> reducedSizes;
  for (size_t axis = 0; axis < in.size(); ++axis)
    if (isReduced[axis])
      reducedSizes.push_back(in[axis]);
  auto finish = [&](ArrayRef<Value> at, Value value, unsigned lanes) {
    folded = value;
    emitter.store(0, at, emitter.emit(emitter.yielded(), at, lanes));
  };

  bool foldsRows = !in.empty() && isReduced[in.size() - 1];
  unsigned lanes = emitter.lanesOf(input);
  if (foldsRows || reducedSizes.empty() || rootSizes.empty()) {
    RowOwners owners{.lanes = lanes};
    if (foldsRows) {
      hx::Dim length = emitter.dims(input).back();
      owners = isTeam ? RowOwners::team(k.traits(), length, lanes)
                      : RowOwners::alone(k.traits(), length, lanes);
    }
    RowWalk walk(k, owners);
    KExpr length = reducedSizes.empty() ? k.constantExpr(1) : reducedSizes.back();
    Value row = walk.begin(k.exprs().product(rootSizes), length);
    SmallVector<Value> at = k.delinearize(row, rootSizes);
    Value result;
    if (reducedSizes.empty()) {
      result = emitter.emit(input, inputIndex(at, {}), 1);
    } else {
      SmallVector<Value> inner(reducedSizes.size());
      std::function<Value(size_t, Value)> nest = [&](size_t depth, Value acc) -> Value {
        if (depth + 1 == reducedSizes.size())
          return walk.foldShare(fn, type, acc, [&](Value i, unsigned width) {
            inner[depth] = i;
            return emitter.emit(input, inputIndex(at, inner), width);
          });
        return k.forLoop(k.index(0), k.value(reducedSizes[depth]), k.index(1), {acc},
                         [&](Value i, ValueRange carried) {
                           inner[depth] = i;
                           return SmallVector<Value>{nest(depth + 1, carried[0])};
                         })[0];
      };
      result = walk.join(fn, type, nest(0, walk.identity(fn, type)));
    }
    walk.once([&] { finish(at, result, 1); });
    return success();
  }

  // Columns: the last result axis in vectors.
  lanes = std::min(lanes, emitter.lanes());
  int64_t block = k.traits().itemPerElement ? lanes : 64;
  forEachBlock(k, rootSizes, block, lanes, [&](ArrayRef<Value> at, unsigned width) {
    SmallVector<Value> inner(reducedSizes.size());
    std::function<Value(size_t, Value)> nest = [&](size_t depth, Value acc) -> Value {
      if (depth == reducedSizes.size())
        return emitReduceStep(k, fn, acc,
                              emitter.emit(input, inputIndex(at, inner), width), type);
      return k.forLoop(k.index(0), k.value(reducedSizes[depth]), k.index(1), {acc},
                       [&](Value j, ValueRange carried) {
                         inner[depth] = j;
                         return SmallVector<Value>{nest(depth + 1, carried[0])};
                       })[0];
    };
    finish(at, nest(0, reduceIdentity(k, fn, type, width)), width);
  });
  return success();
}

/// The innermost axis, which a team shares out, where it is known.
std::optional<int64_t> lengthOf(hx::ReduceOp reduce, hx::SymbolicShapes &shapes) {
  return hx::SymbolTable::constantValue(shapes.dims(reduce.getInput()).back());
}

std::string teamRefusal(hx::GroupOp group, hx::SymbolicShapes &shapes) {
  auto reduce = dyn_cast_or_null<hx::ReduceOp>(heavyOp(group));
  if (!reduce)
    return notMine;
  hx::Dims dims = shapes.dims(reduce.getInput());
  if (dims.empty() || !llvm::is_contained(reduce.getAxes(), int64_t(dims.size()) - 1))
    return "the last axis stays";
  if (computeType(elementType(reduce.getInput())).isInteger(1))
    return "reduces bools";
  hx::Dim total = shapes.symbols().product(dims);
  return rowRefusal(lengthOf(reduce, shapes), hx::SymbolTable::constantValue(total));
}

} // namespace

const Schedule reduceSchedule = {
    "reduce",
    [](hx::GroupOp group, hx::SymbolicShapes &) {
      return isa_and_nonnull<hx::ReduceOp>(heavyOp(group)) ? std::string()
                                                           : std::string(notMine);
    },
    [](ElementEmitter &emitter) { return emitReduce(emitter, /*isTeam=*/false); },
    /*errorConstant=*/1, /*avoidsSplitVectors=*/true};

const Schedule teamReduceSchedule = {
    "team_reduce", teamRefusal,
    [](ElementEmitter &emitter) { return emitReduce(emitter, /*isTeam=*/true); },
    /*errorConstant=*/1, /*avoidsSplitVectors=*/true};

} // namespace hexin::codegen
