#include "frontends/onnx/ops/RunTimeAxes.h"

#include "frontends/onnx/Checks.h"

using namespace mlir;
using hexin::hx::Dim;
using hexin::hx::Dims;

namespace hexin::onnx {

RunTimeAxes::RunTimeAxes(OpBinder &b, ArrayRef<Dim> given, int64_t rank) : b(b) {
  hx::SymbolTable &symbols = b.symbols();
  Dim zero = symbols.constant(0);
  for (Dim axis : given)
    axes.push_back(symbols.select(symbols.lt(axis, zero),
                                  symbols.add(axis, symbols.constant(rank)), axis));
  for (int64_t axis = 0; axis < rank; ++axis) {
    Dim found = zero;
    for (Dim each : axes)
      found = symbols.max(found, symbols.eq(each, symbols.constant(axis)));
    isAmong.push_back(found);
  }
  Dim numFound = zero;
  std::string places;
  for (Dim each : isAmong)
    numFound = symbols.add(numFound, each);
  for (size_t i = 0; i < given.size(); ++i)
    places += (i ? ", {" : "{") + std::to_string(i) + "}";
  check(b, symbols.eq(numFound, symbols.constant(count())),
        "axes [" + places + "] are not different axes of a tensor of rank " +
            std::to_string(rank),
        given);
}

Dim RunTimeAxes::valueOf(int64_t axis, ArrayRef<Dim> values, Dim otherwise) const {
  hx::SymbolTable &symbols = b.symbols();
  Dim result = otherwise;
  for (auto [each, value] : llvm::zip(axes, values))
    result = symbols.select(symbols.eq(each, symbols.constant(axis)), value, result);
  return result;
}

Dims RunTimeAxes::removedFrom(ArrayRef<Dim> dims) const {
  hx::SymbolTable &symbols = b.symbols();
  Dim zero = symbols.constant(0), one = symbols.constant(1);
  Dims result(dims.size() - axes.size(), zero);
  Dim position = zero; // of the axis among those that stay
  for (auto [dim, isGone] : llvm::zip(dims, isAmong)) {
    Dim stays = symbols.sub(one, isGone);
    for (auto [i, size] : llvm::enumerate(result)) {
      Dim isHere = symbols.mul(
          stays, symbols.eq(position, symbols.constant(static_cast<int64_t>(i))));
      size = symbols.select(isHere, dim, size);
    }
    position = symbols.add(position, stays);
  }
  return result;
}

Dims RunTimeAxes::insertedInto(ArrayRef<Dim> dims) const {
  hx::SymbolTable &symbols = b.symbols();
  Dim one = symbols.constant(1);
  Dims result;
  Dim position = symbols.constant(0); // in `dims`
  for (Dim isNew : isAmong) {
    Dim size = one;
    for (auto [i, dim] : llvm::enumerate(dims))
      size = symbols.select(
          symbols.eq(position, symbols.constant(static_cast<int64_t>(i))), dim, size);
    result.push_back(symbols.select(isNew, one, size));
    position = symbols.add(position, symbols.sub(one, isNew));
  }
  return result;
}

Value RunTimeAxes::alongEach(
    Value x, llvm::function_ref<Value(HxBuilder &, Value, int64_t)> apply) {
  for (int64_t axis = 0; axis < static_cast<int64_t>(isAmong.size()); ++axis) {
    if (b.failed())
      return {};
    Dim condition = isAmong[axis];
    if (auto known = hx::SymbolTable::constantValue(condition)) {
      x = *known ? apply(b, x, axis) : x;
      continue;
    }
    Value scalar = b.shape.buildScalar(condition, b.builder.getI1Type());
    if (b.failed())
      return {};
    auto op = hx::IfOp::create(b.builder, b.loc, TypeRange(x.getType()), scalar);
    OpBuilder::InsertionGuard guard(b.builder);
    b.builder.setInsertionPointToEnd(&op.getThenRegion().emplaceBlock());
    b.symbols().pushGuard(condition);
    HxBuilder inner(b.builder, b.shapes, b.loc);
    Value applied = apply(inner, x, axis);
    b.symbols().popGuard();
    if (inner.failed()) {
      b.markFailed();
      return {};
    }
    hx::YieldOp::create(b.builder, b.loc, applied);
    b.builder.setInsertionPointToEnd(&op.getElseRegion().emplaceBlock());
    hx::YieldOp::create(b.builder, b.loc, x);
    op.getResult(0).setType(applied.getType());
    if (mlir::failed(b.shapes.infer(op))) {
      b.markFailed();
      return {};
    }
    x = op.getResult(0);
  }
  return x;
}

} // namespace hexin::onnx
