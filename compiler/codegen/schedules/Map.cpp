//===- Map.cpp - every result element by itself -----------------------------===//
//
// On a GPU an item is a few neighbours along the last axis; an item alone on a core has
// more to do: items are blocks of the last axis (of the last two where it is short), one
// after the other through the outer axes. Along a row: a vector loop, then a scalar loop
// for what is left.
//
//===----------------------------------------------------------------------===//

#include "compiler/codegen/schedules/Schedules.h"

using namespace mlir;

namespace hexin::codegen {

/// Elements of a last axis that are too few for an item of their own.
constexpr int64_t shortRow = 64;

/// Each of which is worth more than what starts an item.
static bool hasLongElements(hx::GroupOp group) {
  return llvm::any_of(group.getBody().front(),
                      [](Operation &op) { return isa<hx::CouplePairsOp>(op); });
}

using EmitAt = llvm::function_ref<void(ArrayRef<Value> index, unsigned lanes)>;

/// An item is `lanes` neighbours along the last axis, or what is left of them.
static LogicalResult emitNeighbours(ElementEmitter &emitter, ArrayRef<KExpr> sizes,
                                    unsigned lanes, EmitAt emitAt) {
  KernelBuilder &k = emitter.kernel();
  SmallVector<KExpr> space(sizes);
  space.back() = k.exprs().ceilDiv(sizes.back(), k.constantExpr(lanes));
  Value item = k.beginItems(k.exprs().product(space));
  SmallVector<Value> index = k.delinearize(item, space);
  index.back() = k.mul(index.back(), k.index(lanes));
  Value extent = k.value(sizes.back());
  if (lanes == 1 || k.isMultiple(extent, lanes)) {
    emitAt(index, lanes);
    return success();
  }
  Value first = index.back(), stop = k.add(first, k.index(lanes));
  auto whole = [&] {
    emitAt(index, lanes);
    return SmallVector<Value>();
  };
  auto rest = [&] {
    k.forLoop(first, extent, k.index(1), {}, [&](Value i, ValueRange) {
      index.back() = i;
      emitAt(index, 1);
      return SmallVector<Value>();
    });
    return SmallVector<Value>();
  };
  k.ifElse(k.less(extent, stop), TypeRange(), rest, whole);
  return success();
}

static LogicalResult emitMap(ElementEmitter &emitter) {
  KernelBuilder &k = emitter.kernel();
  emitter.collapse();
  Value root = emitter.yielded();
  unsigned numResults = emitter.groupOp().getNumResults();
  SmallVector<KExpr> sizes = emitter.sizes(root);

  auto emitAt = [&](ArrayRef<Value> index, unsigned lanes) {
    SmallVector<Value> values;
    for (unsigned result = 0; result < numResults; ++result)
      values.push_back(emitter.emit(emitter.yielded(result), index, lanes));
    for (unsigned result = 0; result < numResults; ++result)
      emitter.store(result, index, values[result]);
  };

  if (sizes.empty()) {
    k.beginItems(k.constantExpr(1));
    emitAt({}, 1);
    return success();
  }

  unsigned lanes = emitter.lanes();
  if (k.traits().itemPerElement)
    return emitNeighbours(emitter, sizes, lanes, emitAt);
  bool isLong = hasLongElements(emitter.groupOp());
  int64_t block = isLong ? 16 : 1024;
  // With a short last axis an item is a block of short rows, so that what splits
  // an item's number into indices is not paid for every few elements.
  std::optional<int64_t> last = hx::SymbolTable::constantValue(emitter.dims(root).back());
  bool hasShortRows = sizes.size() > 1 && last && *last > 0 && *last <= shortRow;
  size_t blocked = sizes.size() - (hasShortRows ? 2 : 1);
  if (hasShortRows)
    block = std::max<int64_t>(1, block / *last);
  KExpr extent = sizes[blocked];
  SmallVector<KExpr> space(ArrayRef(sizes).take_front(blocked));
  space.push_back(k.exprs().ceilDiv(extent, k.constantExpr(block)));
  Value item = k.beginItems(k.exprs().product(space));
  k.use.grain = isLong ? 1 : 16;

  SmallVector<Value> index = k.delinearize(item, space);
  Value start = k.mul(index.back(), k.index(block));
  Value stop = k.min(k.add(start, k.index(block)), k.value(extent));
  index.resize(sizes.size());
  auto along = [&](Value from, Value to) {
    auto body = [&](unsigned width) {
      return [&, width](Value i, ValueRange) {
        index.back() = i;
        emitAt(index, width);
        return SmallVector<Value>();
      };
    };
    if (lanes > 1) {
      Value count = k.div(k.sub(to, from), k.index(lanes));
      Value vectorStop = k.add(from, k.mul(count, k.index(lanes)));
      k.forLoop(from, vectorStop, k.index(lanes), {}, body(lanes));
      from = vectorStop;
    }
    k.forLoop(from, to, k.index(1), {}, body(1));
  };
  if (!hasShortRows) {
    along(start, stop);
    return success();
  }
  k.forLoop(start, stop, k.index(1), {}, [&](Value row, ValueRange) {
    index[blocked] = row;
    along(k.index(0), k.value(sizes.back()));
    return SmallVector<Value>();
  });
  return success();
}

const Schedule mapSchedule = {
    "map", [](hx::GroupOp, hx::SymbolicShapes &) { return std::string(); }, emitMap,
    /*errorConstant=*/4, /*avoidsSplitVectors=*/true};

} // namespace hexin::codegen
