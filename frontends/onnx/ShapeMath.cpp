#include "frontends/onnx/ShapeMath.h"

#include "mlir/IR/BuiltinTypes.h"

using namespace mlir;
using hexin::hx::BinaryFn;
using hexin::hx::Dim;
using hexin::hx::Dims;
using hexin::hx::Symbol;

namespace hexin::onnx {

//===----------------------------------------------------------------------===//
// Reading
//===----------------------------------------------------------------------===//

void ShapeMath::addAnchor(Value x) {
  if (x && isa<RankedTensorType>(x.getType()))
    anchors.push_back({b.dims(x), x, /*isShape=*/true});
}

Value ShapeMath::flatten(Value integers) {
  Value flat = b.cast(integers, b.builder.getI64Type());
  return HxBuilder::rank(integers) == 1 ? flat : b.reshape(flat, b.ints({-1}));
}

FailureOr<Dims> ShapeMath::read(Value integers) {
  if (b.failed())
    return failure();
  if (auto known = b.shapes.contents(integers)) {
    if (!constants(*known))
      anchors.push_back({*known, flatten(integers), /*isShape=*/false});
    return *known;
  }
  auto count = hx::SymbolTable::constantValue(b.shapes.numElements(integers));
  auto type = cast<RankedTensorType>(integers.getType());
  if (!count || *count > hx::ShapeContext::maxContents ||
      !type.getElementType().isInteger())
    return emitError(b.loc)
           << "an operand that is read on the host must hold a known number "
           << "of at most " << hx::ShapeContext::maxContents << " integers, got " << type;
  Value flat = flatten(integers);
  if (b.failed())
    return failure();
  Dims elements;
  if (auto known = b.shapes.contents(flat)) {
    elements = *known;
  } else {
    for (int64_t i = 0; i < *count; ++i)
      elements.push_back(b.symbols().element(flat, static_cast<unsigned>(i)));
  }
  anchors.push_back({elements, flat, /*isShape=*/false});
  return elements;
}

std::optional<SmallVector<int64_t>> ShapeMath::constants(ArrayRef<Dim> dims) {
  SmallVector<int64_t> values;
  for (Dim dim : dims) {
    std::optional<int64_t> value = hx::SymbolTable::constantValue(dim);
    if (!value)
      return std::nullopt;
    values.push_back(*value);
  }
  return values;
}

//===----------------------------------------------------------------------===//
// Back to IR
//===----------------------------------------------------------------------===//

Value ShapeMath::valueOf(Anchor &anchor) {
  if (anchor.isShape) {
    anchor.source = b.shapeOf(anchor.source);
    anchor.isShape = false;
  }
  return anchor.source;
}

Value ShapeMath::piece(Anchor &anchor, size_t first, size_t count) {
  Value whole = valueOf(anchor);
  if (count == anchor.elements.size())
    return whole;
  return b.slice(whole, b.ints({static_cast<int64_t>(first)}),
                 b.ints({static_cast<int64_t>(count)}), {1});
}

std::pair<ShapeMath::Anchor *, size_t> ShapeMath::find(Dim dim) {
  for (Anchor &anchor : anchors)
    for (auto [i, element] : llvm::enumerate(anchor.elements))
      if (element == dim)
        return {&anchor, i};
  return {nullptr, 0};
}

bool ShapeMath::isInScope(Value value) const {
  Block *block = value.getParentBlock();
  for (Block *here = b.builder.getInsertionBlock(); here;) {
    if (here == block)
      return true;
    Operation *parent = here->getParentOp();
    here = parent ? parent->getBlock() : nullptr;
  }
  return false;
}

Value ShapeMath::computeFloorDiv(Value lhs, Value rhs, bool isCounted) {
  // hx's integer division truncates: the same where nothing is negative.
  if (!isCounted)
    lhs = b.sub(lhs, b.binary(BinaryFn::mod, lhs, rhs));
  return b.div(lhs, rhs);
}

Value ShapeMath::computeSymbol(Dim dim, unsigned position) {
  // A copy: computing may add symbols.
  const Symbol symbol = b.symbols().symbols()[position];
  if (symbol.kind != Symbol::Kind::derived && !isInScope(symbol.value)) {
    emitError(b.loc) << "the size " << b.symbols().toString(dim)
                     << " is computed inside of a branch or loop and not known here";
    b.markFailed();
    return {};
  }
  if (symbol.function == Symbol::Function::eq || symbol.function == Symbol::Function::lt)
    return b.cast(computeCondition(dim), b.builder.getI64Type());
  SmallVector<Value, 3> operands;
  for (auto [i, operand] : llvm::enumerate(symbol.operands))
    operands.push_back(symbol.function == Symbol::Function::select && i == 0
                           ? computeCondition(operand)
                           : compute(operand));
  auto isCounted = [&] { return b.symbols().lowerBound(symbol.operands[0]) >= 0; };
  auto slice = [&](Value whole) {
    return b.slice(whole, b.ints({symbol.index}), b.ints({1}), {1});
  };
  switch (symbol.kind) {
  case Symbol::Kind::inputDim:
  case Symbol::Kind::resultDim:
    return slice(b.shapeOf(symbol.value));
  case Symbol::Kind::element:
    return slice(flatten(symbol.value));
  case Symbol::Kind::derived:
    break;
  }
  switch (symbol.function) {
  case Symbol::Function::none:
    break;
  case Symbol::Function::mul:
    return b.mul(operands[0], operands[1]);
  case Symbol::Function::floorDiv:
    return computeFloorDiv(operands[0], operands[1], isCounted());
  case Symbol::Function::ceilDiv:
    return computeFloorDiv(b.sub(b.add(operands[0], operands[1]), b.ints({1})),
                           operands[1], isCounted());
  case Symbol::Function::mod:
    return b.binary(BinaryFn::mod, operands[0], operands[1]);
  case Symbol::Function::min:
    return b.binary(BinaryFn::min, operands[0], operands[1]);
  case Symbol::Function::max:
    return b.binary(BinaryFn::max, operands[0], operands[1]);
  case Symbol::Function::eq:
  case Symbol::Function::lt:
    break; // above
  case Symbol::Function::select:
    return b.select(operands[0], operands[1], operands[2]);
  }
  return {};
}

/// As i1, without a way through i64 for comparisons.
Value ShapeMath::computeCondition(Dim dim) {
  if (auto expr = dyn_cast<AffineSymbolExpr>(dim)) {
    const Symbol symbol = b.symbols().symbols()[expr.getPosition()];
    bool isEq = symbol.function == Symbol::Function::eq;
    if (isEq || symbol.function == Symbol::Function::lt)
      return b.compare(isEq ? hx::ComparePredicate::eq : hx::ComparePredicate::lt,
                       compute(symbol.operands[0]), compute(symbol.operands[1]));
  }
  return b.cast(compute(dim), b.builder.getI1Type());
}

Value ShapeMath::compute(Dim dim) {
  if (b.failed())
    return {};
  if (Value known = computed.lookup(dim))
    return known;
  Value value = computeNew(dim);
  computed[dim] = value;
  return value;
}

Value ShapeMath::computeNew(Dim dim) {
  if (auto value = hx::SymbolTable::constantValue(dim))
    return b.ints({*value});
  if (auto [anchor, index] = find(dim); anchor)
    return piece(*anchor, index, 1);
  if (auto symbol = dyn_cast<AffineSymbolExpr>(dim))
    return computeSymbol(dim, symbol.getPosition());
  auto expr = cast<AffineBinaryOpExpr>(dim);
  bool isCounted = b.symbols().lowerBound(expr.getLHS()) >= 0;
  Value lhs = compute(expr.getLHS());
  Value rhs = compute(expr.getRHS());
  switch (expr.getKind()) {
  case AffineExprKind::Add:
    return b.add(lhs, rhs);
  case AffineExprKind::Mul:
    return b.mul(lhs, rhs);
  case AffineExprKind::Mod:
    return b.binary(BinaryFn::mod, lhs, rhs);
  case AffineExprKind::FloorDiv:
    return computeFloorDiv(lhs, rhs, isCounted);
  default: // CeilDiv
    return computeFloorDiv(b.sub(b.add(lhs, rhs), b.ints({1})), rhs, isCounted);
  }
}

Value ShapeMath::build(ArrayRef<Dim> dims) {
  if (auto known = constants(dims))
    return b.ints(*known);
  SmallVector<Value> pieces;
  for (size_t i = 0; i < dims.size();) {
    SmallVector<int64_t> numbers;
    for (; i < dims.size(); ++i) {
      auto number = hx::SymbolTable::constantValue(dims[i]);
      if (!number)
        break;
      numbers.push_back(*number);
    }
    if (!numbers.empty())
      pieces.push_back(b.ints(numbers));
    if (i == dims.size())
      break;
    auto [anchor, index] = find(dims[i]);
    if (!anchor) {
      pieces.push_back(compute(dims[i++]));
      continue;
    }
    size_t count = 1;
    while (i + count < dims.size() && index + count < anchor->elements.size() &&
           dims[i + count] == anchor->elements[index + count])
      ++count;
    pieces.push_back(piece(*anchor, index, count));
    i += count;
  }
  return b.concat(pieces, 0);
}

Value ShapeMath::buildScalar(Dim dim, Type elementType) {
  if (auto value = hx::SymbolTable::constantValue(dim))
    return b.scalar(elementType, static_cast<double>(*value));
  return b.cast(toScalar(compute(dim)), elementType);
}

//===----------------------------------------------------------------------===//
// Movement ops
//===----------------------------------------------------------------------===//

Value ShapeMath::reshape(Value x, ArrayRef<Dim> dims) {
  if (b.failed() || b.dims(x) == Dims(dims))
    return x;
  // One unknown size that the others imply is -1: no host op is needed.
  int64_t unknown = -1, numUnknown = 0;
  SmallVector<int64_t> sizes;
  SmallVector<Dim> known;
  for (auto [axis, dim] : llvm::enumerate(dims)) {
    auto size = hx::SymbolTable::constantValue(dim);
    sizes.push_back(size.value_or(-1));
    if (size) {
      known.push_back(dim);
    } else {
      unknown = static_cast<int64_t>(axis);
      ++numUnknown;
    }
  }
  if (numUnknown == 1 && !llvm::is_contained(sizes, 0) && llvm::count(sizes, -1) == 1 &&
      b.symbols().quotient(b.dims(x), known) == dims[unknown])
    return b.reshape(x, b.ints(sizes));
  return b.reshape(x, build(dims));
}

Value ShapeMath::broadcastTo(Value x, ArrayRef<Dim> dims) {
  if (b.failed() || b.dims(x) == Dims(dims))
    return x;
  return b.broadcastTo(x, build(dims));
}

Value ShapeMath::slice(Value x, ArrayRef<Dim> starts, ArrayRef<Dim> sizes,
                       ArrayRef<int64_t> steps) {
  if (b.failed())
    return {};
  bool isWhole = b.dims(x) == Dims(sizes);
  for (auto [start, step] : llvm::zip(starts, steps))
    isWhole &= start == constant(0) && step == 1;
  return isWhole ? x : b.slice(x, build(starts), build(sizes), steps);
}

Value ShapeMath::sliceAxis(Value x, int64_t axis, Dim start, Dim size) {
  if (b.failed())
    return {};
  Dims sizes = b.dims(x);
  Dims starts(sizes.size(), constant(0));
  starts[axis] = start;
  sizes[axis] = size;
  return slice(x, starts, sizes, SmallVector<int64_t>(sizes.size(), 1));
}

Value ShapeMath::iota(ArrayRef<Dim> sizes, int64_t axis, Type elementType) {
  return b.failed() ? Value() : b.iota(build(sizes), axis, elementType);
}

Value ShapeMath::unsqueeze(Value x, ArrayRef<int64_t> axes) {
  if (b.failed())
    return {};
  Dims dims = b.dims(x);
  for (int64_t axis : axes)
    dims.insert(dims.begin() + axis, constant(1));
  return reshape(x, dims);
}

Value ShapeMath::squeeze(Value x, ArrayRef<int64_t> axes) {
  if (b.failed())
    return {};
  Dims dims;
  for (auto [axis, dim] : llvm::enumerate(b.dims(x)))
    if (!llvm::is_contained(axes, static_cast<int64_t>(axis)))
      dims.push_back(dim);
  return reshape(x, dims);
}

Value ShapeMath::toScalar(Value x) {
  return b.failed() || HxBuilder::rank(x) == 0 ? x : b.reshape(x, b.ints({}));
}

Value ShapeMath::toScalarIfOne(Value x) {
  bool isOne = x && !b.failed() && b.shapes.numElements(x) == constant(1);
  return isOne ? toScalar(x) : x;
}

} // namespace hexin::onnx
