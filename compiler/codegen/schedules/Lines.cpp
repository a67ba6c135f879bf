#include "compiler/codegen/schedules/Lines.h"

#include "compiler/codegen/schedules/RowLoop.h"

using namespace mlir;

namespace hexin::codegen {

void forEachBlock(KernelBuilder &k, ArrayRef<KExpr> sizes, int64_t block, unsigned lanes,
                  function_ref<void(MutableArrayRef<Value>, unsigned)> body) {
  SmallVector<KExpr> space(sizes);
  KExpr last = sizes.back();
  space.back() = k.exprs().ceilDiv(last, k.constantExpr(block));
  Value item = k.beginItems(k.exprs().product(space));
  SmallVector<Value> at = k.delinearize(item, space);
  Value start = k.mul(at.back(), k.index(block));
  Value count = k.min(k.index(block), k.sub(k.value(last), start));
  forEachInRow(k, count, lanes, [&](Value i, unsigned width) {
    at.back() = k.add(start, i);
    body(at, width);
  });
}

void forEachLine(KernelBuilder &k, ArrayRef<KExpr> sizes, size_t axis, unsigned lanes,
                 function_ref<void(MutableArrayRef<Value>, unsigned)> body) {
  SmallVector<KExpr> space(sizes);
  space[axis] = k.constantExpr(1);
  if (axis + 1 < sizes.size())
    return forEachBlock(k, space, k.traits().itemPerElement ? lanes : 64, lanes, body);
  Value item = k.beginItems(k.exprs().product(space));
  SmallVector<Value> at = k.delinearize(item, space);
  body(at, 1);
}

} // namespace hexin::codegen
