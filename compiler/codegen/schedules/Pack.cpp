//===- Pack.cpp - a computed right-hand side into panels --------------------===//
//
// An item copies one panel of one matrix: [K][width], the columns beyond the last
// filled with zeros. (Constants are packed when the artifact is written.)
//
//===----------------------------------------------------------------------===//

#include "compiler/codegen/schedules/Schedules.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;

namespace hexin::codegen {
namespace {

hx::PackOp packOf(hx::GroupOp group) {
  return dyn_cast_or_null<hx::PackOp>(heavyOp(group));
}

LogicalResult emitPack(ElementEmitter &emitter) {
  KernelBuilder &k = emitter.kernel();
  hx::PackOp pack = packOf(emitter.groupOp());
  hx::PanelsAttr panels = pack.getPanels();
  Type type = elementType(pack.getInput());
  SmallVector<KExpr> sizes = emitter.sizes(pack.getInput());
  size_t rank = sizes.size();
  // Conv weights [M, C/g, taps...] are [N, K] matrices, one per group, but for the
  // order along K: taps outermost in the panel, innermost in the source.
  bool isConv = panels.getConv();
  bool isTransposed = panels.getTransposed() || isConv;
  KExpr depth = isConv ? k.exprs().product(ArrayRef(sizes).drop_front(1))
                       : sizes[rank - (isTransposed ? 1 : 2)];
  KExpr groups = k.constantExpr(panels.getGroups());
  KExpr columns = isConv ? k.exprs().floorDiv(sizes[0], groups)
                         : sizes[rank - (isTransposed ? 2 : 1)];
  KExpr matrices = isConv ? groups : k.exprs().product(ArrayRef(sizes).drop_back(2));
  KExpr width = k.constantExpr(panels.getWidth());
  KExpr numPanels = k.exprs().ceilDiv(columns, width);

  Value item = k.beginItems(k.exprs().mul(matrices, numPanels));
  SmallVector<Value> at = k.delinearize(item, {matrices, numPanels});
  Value src = emitter.memrefOf(pack.getInput());
  Value dst = k.bind(emitter.groupOp().getResult(0),
                     k.exprs().product({matrices, numPanels, depth, width}), true);
  Value firstColumn = k.mul(at[1], k.value(width));
  Value valid = k.min(k.value(width), k.sub(k.value(columns), firstColumn));
  Value srcBase = k.mul(at[0], k.mul(k.value(depth), k.value(columns)));
  Value dstBase = k.mul(item, k.mul(k.value(depth), k.value(width)));
  Value rowStride = isTransposed ? k.index(1) : k.value(columns);
  Value columnStride = isTransposed ? k.value(depth) : k.index(1);
  Type compute = computeType(type);
  Value zero = isa<FloatType>(compute) ? k.floatConstant(0, compute, 1)
                                       : k.intConstant(0, compute, 1);
  k.forLoop(k.index(0), k.value(depth), k.index(1), {}, [&](Value row, ValueRange) {
    Value source = row;
    if (isConv) {
      Value channels = k.value(sizes[1]);
      KExpr taps = k.exprs().product(ArrayRef(sizes).drop_front(2));
      source = k.add(k.mul(k.rem(row, channels), k.value(taps)), k.div(row, channels));
    }
    Value from =
        k.add(k.add(srcBase, k.mul(firstColumn, columnStride)), k.mul(source, rowStride));
    Value to = k.add(dstBase, k.mul(row, k.value(width)));
    k.forLoop(k.index(0), valid, k.index(1), {}, [&](Value c, ValueRange) {
      Value x = k.load(src, k.add(from, k.mul(c, columnStride)), 1, type);
      k.store(dst, k.add(to, c), x, type);
      return SmallVector<Value>();
    });
    k.forLoop(valid, k.value(width), k.index(1), {}, [&](Value c, ValueRange) {
      k.store(dst, k.add(to, c), zero, type);
      return SmallVector<Value>();
    });
    return SmallVector<Value>();
  });
  return success();
}

} // namespace

const Schedule packSchedule = {"pack",
                               [](hx::GroupOp group, hx::SymbolicShapes &) {
                                 hx::PackOp pack = packOf(group);
                                 if (!pack)
                                   return std::string(notMine);
                                 return std::string();
                               },
                               emitPack};

} // namespace hexin::codegen
