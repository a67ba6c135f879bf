//===- ResolveShapes.cpp - host-read operands in terms of what they hang on --===//
//
// A shape operand that is known as expressions over the inputs' sizes is written
// anew as arithmetic on hx.shape_of of the function's arguments. What computed it
// before (Shape -> Gather -> Concat chains over intermediate values) dies, and no
// intermediate value is kept alive for its size.
//
// Where it also hangs on elements of values that only the run makes, the same is
// done right before its reader.
//
//===----------------------------------------------------------------------===//

#include "compiler/ir/Ops.h"
#include "compiler/ir/SymbolicShapes.h"
#include "compiler/transforms/Build.h"
#include "compiler/transforms/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace hexin::hx {
#define GEN_PASS_DEF_RESOLVESHAPESPASS
#include "compiler/transforms/Passes.h.inc"
} // namespace hexin::hx

using namespace mlir;

namespace hexin::hx {
using mlir::Value;
namespace {

/// Writes Dims as tensor<1xi64> host values.
class DimWriter {
public:
  /// At the top of the function, from its arguments, in the name of the first reader.
  DimWriter(func::FuncOp func, SymbolicShapes &shapes)
      : b(&func.getBody().front(), func.getBody().front().begin()), shapes(shapes),
        entry(&func.getBody().front()), loc(func.getLoc()) {}
  void setLocation(Location location) { loc = location; }
  /// Before `reader`, from what is made before it.
  DimWriter(Operation *reader, func::FuncOp func, SymbolicShapes &shapes)
      : b(reader), shapes(shapes), entry(&func.getBody().front()), reader(reader),
        loc(reader->getLoc()) {}

  /// Null when the expression needs something that only the run will tell.
  Value write(Dim dim) {
    if (Value known = written.lookup(dim))
      return known;
    Value value = build(dim);
    if (value)
      written[dim] = value;
    return value;
  }

  Value writeAll(ArrayRef<Dim> dims) {
    SmallVector<Value> parts;
    SmallVector<int64_t> constants;
    for (Dim dim : dims) {
      if (auto constant = SymbolTable::constantValue(dim))
        constants.push_back(*constant);
      Value part = write(dim);
      if (!part)
        return {};
      parts.push_back(part);
    }
    if (constants.size() == dims.size())
      return shapeConstant(b, loc, constants);
    if (parts.size() == 1)
      return parts[0];
    auto type =
        RankedTensorType::get({static_cast<int64_t>(dims.size())}, b.getI64Type());
    return ConcatOp::create(b, loc, type, parts, 0);
  }

  /// The same for a condition of one element.
  Value writeCondition(Dim dim, RankedTensorType type) {
    Value value = write(dim);
    if (!value)
      return {};
    auto truth = RankedTensorType::get({1}, b.getI1Type());
    return reshaped(b, loc, CastOp::create(b, loc, truth, value, true, "nearest"),
                    type.getShape());
  }

private:
  /// Whether what is written may use `value`.
  bool isAtHand(Value value) const {
    if (auto argument = dyn_cast<BlockArgument>(value);
        argument && argument.getOwner() == entry)
      return true;
    Operation *at =
        reader ? value.getParentBlock()->findAncestorOpInBlock(*reader) : nullptr;
    Operation *source = value.getDefiningOp();
    return at && (!source || source->isBeforeInBlock(at));
  }

  RankedTensorType one() { return RankedTensorType::get({1}, b.getI64Type()); }
  Value binary(BinaryFn fn, Value x, Value y) {
    return x && y ? BinaryOp::create(b, loc, one(), fn, x, y).getResult() : Value();
  }
  Value constant(int64_t value) { return shapeConstant(b, loc, {value}); }

  Value floorDiv(Dim numerator, Dim denominator) {
    Value x = write(numerator), y = write(denominator);
    if (!x || !y)
      return {};
    if (shapes.symbols().lowerBound(numerator) >= 0)
      return binary(BinaryFn::div, x, y);
    return binary(BinaryFn::div, binary(BinaryFn::sub, x, binary(BinaryFn::mod, x, y)),
                  y);
  }

  Value sizeOf(Value value, unsigned axis) {
    Value &sizes = sizesOf[value];
    auto type = RankedTensorType::get({tensorTypeOf(value).getRank()}, b.getI64Type());
    if (!sizes)
      sizes = ShapeOfOp::create(b, loc, type, value);
    return SliceOp::create(b, loc, one(), sizes,
                           shapeConstant(b, loc, {static_cast<int64_t>(axis)}),
                           shapeConstant(b, loc, {1}), ArrayRef<int64_t>{1});
  }

  Value elementOf(Value value, unsigned index) {
    RankedTensorType type = tensorTypeOf(value);
    int64_t count = type.hasStaticShape() ? type.getNumElements() : ShapedType::kDynamic;
    Value flat =
        ReshapeOp::create(b, loc, RankedTensorType::get({count}, type.getElementType()),
                          value, shapeConstant(b, loc, {-1}));
    Value element =
        SliceOp::create(b, loc, RankedTensorType::get({1}, type.getElementType()), flat,
                        shapeConstant(b, loc, {static_cast<int64_t>(index)}),
                        shapeConstant(b, loc, {1}), ArrayRef<int64_t>{1});
    if (element.getType() == one())
      return element;
    return CastOp::create(b, loc, one(), element, true, "nearest");
  }

  Value symbol(const Symbol &symbol) {
    auto operand = [&](unsigned i) { return write(symbol.operands[i]); };
    switch (symbol.kind) {
    case Symbol::Kind::inputDim:
    case Symbol::Kind::resultDim:
      return isAtHand(symbol.value) ? sizeOf(symbol.value, symbol.index) : Value();
    case Symbol::Kind::element:
      return isAtHand(symbol.value) ? elementOf(symbol.value, symbol.index) : Value();
    case Symbol::Kind::derived:
      break;
    }
    using Function = Symbol::Function;
    switch (symbol.function) {
    case Function::mul:
      return binary(BinaryFn::mul, operand(0), operand(1));
    case Function::floorDiv:
      return floorDiv(symbol.operands[0], symbol.operands[1]);
    case Function::mod:
      return binary(BinaryFn::mod, operand(0), operand(1));
    case Function::min:
      return binary(BinaryFn::min, operand(0), operand(1));
    case Function::max:
      return binary(BinaryFn::max, operand(0), operand(1));
    case Function::eq:
    case Function::lt: {
      Value x = operand(0), y = operand(1);
      if (!x || !y)
        return {};
      auto predicate =
          symbol.function == Function::eq ? ComparePredicate::eq : ComparePredicate::lt;
      Value truth = CompareOp::create(b, loc, RankedTensorType::get({1}, b.getI1Type()),
                                      predicate, x, y);
      return CastOp::create(b, loc, one(), truth, true, "nearest");
    }
    case Function::select: {
      Value c = operand(0), x = operand(1), y = operand(2);
      if (!c || !x || !y)
        return {};
      Value truth = CastOp::create(b, loc, RankedTensorType::get({1}, b.getI1Type()), c,
                                   true, "nearest");
      return SelectOp::create(b, loc, one(), truth, x, y);
    }
    default:
      return {};
    }
  }

  Value build(Dim dim) {
    if (auto value = SymbolTable::constantValue(dim))
      return constant(*value);
    if (auto position = dyn_cast<AffineSymbolExpr>(dim))
      return symbol(shapes.symbols().symbols()[position.getPosition()]);
    auto pair = dyn_cast<AffineBinaryOpExpr>(dim);
    if (!pair)
      return {};
    switch (pair.getKind()) {
    case AffineExprKind::Add:
      return binary(BinaryFn::add, write(pair.getLHS()), write(pair.getRHS()));
    case AffineExprKind::Mul:
      return binary(BinaryFn::mul, write(pair.getLHS()), write(pair.getRHS()));
    case AffineExprKind::Mod:
      return binary(BinaryFn::mod, write(pair.getLHS()), write(pair.getRHS()));
    case AffineExprKind::FloorDiv:
      return floorDiv(pair.getLHS(), pair.getRHS());
    case AffineExprKind::CeilDiv: {
      SymbolTable &table = shapes.symbols();
      Dim rounded = table.add(pair.getLHS(), table.sub(pair.getRHS(), table.constant(1)));
      return floorDiv(rounded, pair.getRHS());
    }
    default:
      return {};
    }
  }

  OpBuilder b;
  SymbolicShapes &shapes;
  Block *entry;
  Operation *reader = nullptr;
  Location loc;
  llvm::DenseMap<Dim, Value> written;
  llvm::DenseMap<Value, Value> sizesOf;
};

/// What `operand` of `op` becomes; null when it stays.
Value resolved(OpOperand &operand, SymbolicShapes &shapes, DimWriter &writer) {
  auto type = dyn_cast<RankedTensorType>(operand.get().getType());
  if (!type || !shapes.followsFromOthers(operand.get()))
    return {};
  Dims contents = *shapes.contents(operand.get());
  if (isa<IfOp>(operand.getOwner()))
    return type.hasStaticShape() ? writer.writeCondition(contents.front(), type)
                                 : Value();
  bool isShape = type.getRank() == 1 && type.getElementType().isInteger(64);
  return isShape ? writer.writeAll(contents) : Value();
}

struct ResolveShapesPass : impl::ResolveShapesPassBase<ResolveShapesPass> {
  void runOnOperation() override {
    func::FuncOp func = getOperation();
    SymbolicShapes shapes(&getContext());
    if (failed(shapes.run(func)))
      return signalPassFailure();
    DimWriter writer(func, shapes);
    SmallVector<Operation *> readers;
    func.walk([&](Operation *op) {
      if (isa<HostReadOpInterface>(op))
        readers.push_back(op);
    });
    for (Operation *op : readers) {
      auto reads = cast<HostReadOpInterface>(op);
      DimWriter localWriter(op, func, shapes);
      writer.setLocation(op->getLoc());
      for (OpOperand &operand : op->getOpOperands()) {
        if (!reads.isHostRead(operand.getOperandNumber()) ||
            operand.get().getDefiningOp<ConstantOp>())
          continue;
        Value known = resolved(operand, shapes, writer);
        if (!known)
          known = resolved(operand, shapes, localWriter);
        if (known)
          operand.set(known);
      }
    }
    eraseDead(func);
  }
};

} // namespace
} // namespace hexin::hx
