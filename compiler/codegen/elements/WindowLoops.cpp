#include "compiler/codegen/elements/WindowLoops.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;

namespace hexin::codegen {

hx::Dims beginPads(hx::SymbolicShapes &shapes, ArrayRef<int64_t> pads,
                   hx::PadPolicy policy, ArrayRef<hx::Dim> taps,
                   ArrayRef<int64_t> strides, ArrayRef<int64_t> dilations,
                   ArrayRef<hx::Dim> inSizes, ArrayRef<hx::Dim> outSizes) {
  hx::SymbolTable &table = shapes.symbols();
  hx::Dims result;
  for (size_t axis = 0; axis < taps.size(); ++axis) {
    if (policy == hx::PadPolicy::explicit_pads) {
      result.push_back(table.constant(pads[axis]));
      continue;
    }
    // total = max(0, (out - 1) * stride + extent - in); the odd one goes to the
    // end for same_upper, to the start for same_lower.
    hx::Dim one = table.constant(1);
    hx::Dim extent = table.add(
        table.mul(table.constant(dilations[axis]), table.sub(taps[axis], one)), one);
    hx::Dim covered = table.add(
        table.mul(table.sub(outSizes[axis], one), table.constant(strides[axis])), extent);
    hx::Dim total = table.max(table.constant(0), table.sub(covered, inSizes[axis]));
    hx::Dim smaller = table.floorDiv(total, table.constant(2));
    result.push_back(policy == hx::PadPolicy::same_upper ? smaller
                                                         : table.sub(total, smaller));
  }
  return result;
}

hx::Dims constantDims(hx::SymbolicShapes &shapes, ArrayRef<int64_t> sizes) {
  hx::Dims dims;
  for (int64_t size : sizes)
    dims.push_back(shapes.symbols().constant(size));
  return dims;
}

Value tapCount(KernelBuilder &k, hx::Dim taps) {
  auto constant = hx::SymbolTable::constantValue(taps);
  return constant ? k.index(*constant) : k.value(k.size(taps));
}

IndexRange clippedTaps(KernelBuilder &k, Value start, Value size, Value taps,
                       int64_t dilation) {
  Value zero = k.index(0), d = k.index(dilation), dMinusOne = k.index(dilation - 1);
  // First tap with start + t*d >= 0.
  Value before = k.max(zero, k.sub(zero, start));
  Value lower = k.div(k.add(before, dMinusOne), d);
  Value room = k.max(zero, k.sub(size, start));
  Value upper = k.min(taps, k.div(k.add(room, dMinusOne), d));
  return {lower, upper};
}

SmallVector<Value>
loopNest(KernelBuilder &k, ArrayRef<IndexRange> ranges, ValueRange init,
         function_ref<SmallVector<Value>(ArrayRef<Value>, ValueRange)> body) {
  SmallVector<Value> indices;
  std::function<SmallVector<Value>(size_t, ValueRange)> nest = [&](size_t depth,
                                                                   ValueRange carried) {
    if (depth == ranges.size())
      return body(indices, carried);
    return k.forLoop(ranges[depth].lower, ranges[depth].upper, k.index(1), carried,
                     [&](Value i, ValueRange inner) {
                       indices.push_back(i);
                       SmallVector<Value> next = nest(depth + 1, inner);
                       indices.pop_back();
                       return next;
                     });
  };
  return nest(0, init);
}

Value zeroOf(KernelBuilder &k, Type type, unsigned lanes) {
  return isa<FloatType>(type) ? k.floatConstant(0, type, lanes)
                              : k.intConstant(0, type, lanes);
}

Value multiplyAdd(KernelBuilder &k, Value x, Value w, Value acc) {
  OpBuilder &b = k.builder();
  if (isa<FloatType>(getElementTypeOrSelf(x.getType())))
    return math::FmaOp::create(b, k.loc(), x, w, acc);
  Value product = arith::MulIOp::create(b, k.loc(), x, w);
  return arith::AddIOp::create(b, k.loc(), acc, product);
}

} // namespace hexin::codegen
