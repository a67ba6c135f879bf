#include "frontends/onnx/ops/RunTimeAxes.h"

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
}

Dim RunTimeAxes::valueOf(int64_t axis, ArrayRef<Dim> values, Dim otherwise) const {
  hx::SymbolTable &symbols = b.symbols();
  Dim result = otherwise;
  for (auto [each, value] : llvm::zip(axes, values))
    result = symbols.select(symbols.eq(each, symbols.constant(axis)), value, result);
  return result;
}

Dim RunTimeAxes::factorOfWrong() const {
  hx::SymbolTable &symbols = b.symbols();
  Dim found = symbols.constant(0);
  for (Dim each : isAmong)
    found = symbols.add(found, each);
  Dim isRight = symbols.eq(found, symbols.constant(count()));
  return symbols.select(isRight, symbols.constant(1), symbols.constant(2));
}

Value RunTimeAxes::checked(Value x) {
  if (b.failed() || HxBuilder::rank(x) == 0)
    return x;
  Dims dims = b.dims(x);
  dims[0] = b.symbols().mul(dims[0], factorOfWrong());
  Location wrong = NameLoc::get(b.builder.getStringAttr(
      b.node().name.empty() ? "its axes are not different ones of the input"
                            : std::string(b.node().name) +
                                  ": its axes are not different ones of the input"));
  HxBuilder inner(b.builder, b.shapes, wrong);
  Value shape = b.shape.build(dims);
  if (b.failed())
    return {};
  Value result = inner.reshape(x, shape);
  if (inner.failed())
    b.markFailed();
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
  if (!result.empty())
    result[0] = symbols.mul(result[0], factorOfWrong());
  return result;
}

Value RunTimeAxes::alongEach(
    Value x, llvm::function_ref<Value(HxBuilder &, Value, int64_t)> apply) {
  x = checked(x);
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
