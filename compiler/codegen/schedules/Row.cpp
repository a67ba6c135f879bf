//===- Row.cpp - softmax and normalisation: an item or a team owns a row ----===//
//
// Three passes over the last axis. What feeds the op is computed once and kept in
// the result's memory between the passes when that has the compute type; else it
// is computed again. A thread of a team reads again only what it wrote itself.
//
//===----------------------------------------------------------------------===//

#include "compiler/codegen/Scalars.h"
#include "compiler/codegen/schedules/RowLoop.h"
#include "compiler/codegen/schedules/Schedules.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;

namespace hexin::codegen {
namespace {

class RowEmitter {
public:
  RowEmitter(ElementEmitter &emitter, unsigned threads)
      : emitter(emitter), k(emitter.kernel()), b(k.builder()), loc(k.loc()),
        input(heavyOp(emitter.groupOp())->getOperand(0)),
        type(computeType(elementType(input))), walk(k, threads, provideResult()) {}

  LogicalResult run() {
    Operation *heavy = heavyOp(emitter.groupOp());

    Value root = emitter.yielded();
    Type rootType = elementType(root);
    keeps = storageType(rootType) == type;
    SmallVector<KExpr> sizes = emitter.sizes(input);
    count = k.value(sizes.back());
    SmallVector<KExpr> outer(ArrayRef(sizes).drop_back());
    Value item = walk.begin(k.exprs().product(outer));
    at = k.delinearize(item, outer);
    at.push_back(Value());
    if (auto norm = dyn_cast<hx::LayerNormOp>(heavy))
      layerNorm(norm);
    else
      softmax(isa<hx::LogSoftmaxOp>(heavy));
    return success();
  }

private:
  /// Lets epilogues read `current`; returns the lanes that all of the group has then.
  unsigned provideResult() {
    Value result = heavyOp(emitter.groupOp())->getResult(0);
    emitter.provide(result, [this](ArrayRef<Value>, unsigned) { return current; });
    return std::min(emitter.lanesOf(input), emitter.lanes());
  }
  /// The op's input at position i of the row; kept after the first pass.
  Value read(Value i, unsigned width, bool isFirst) {
    at.back() = i;
    if (!isFirst && keeps) {
      Value root = emitter.yielded();
      return k.load(emitter.memrefOfResult(0), emitter.linearize(root, at), width,
                    elementType(root));
    }
    return emitter.emit(input, at, width);
  }
  void keep(Value i, Value value) {
    if (!keeps)
      return;
    at.back() = i;
    Value root = emitter.yielded();
    k.store(emitter.memrefOfResult(0), emitter.linearize(root, at), value,
            elementType(root));
  }
  void finish(Value i, Value value, unsigned width) {
    current = value;
    at.back() = i;
    emitter.store(0, at, emitter.emit(emitter.yielded(), at, width));
    current = Value();
  }
  template <typename OpT> Value op(Value x, Value y) { return OpT::create(b, loc, x, y); }

  /// fn over element(i, lanes) of the whole row.
  Value fold(hx::ReduceFn fn, function_ref<Value(Value, unsigned)> element) {
    Value share =
        walk.foldShare(fn, type, count, reduceIdentity(k, fn, type, 1), element);
    return walk.join(fn, type, share);
  }

  void softmax(bool isLog) {
    bool isPlain = isa<BlockArgument>(input); // nothing to save by keeping it
    Value maximum = fold(hx::ReduceFn::max, [&](Value i, unsigned width) {
      Value x = read(i, width, true);
      if (!isPlain)
        keep(i, x);
      return x;
    });
    Value sum = fold(hx::ReduceFn::sum, [&](Value i, unsigned width) {
      Value x = read(i, width, isPlain);
      Value shifted = op<arith::SubFOp>(x, k.splat(maximum, width));
      Value e = math::ExpOp::create(b, loc, shifted);
      keep(i, isLog ? shifted : e);
      return e;
    });
    Value factor = isLog ? Value(math::LogOp::create(b, loc, sum))
                         : op<arith::DivFOp>(k.floatConstant(1, type, 1), sum);
    walk.forEach(count, [&](Value i, unsigned width) {
      Value x = read(i, width, false);
      if (!keeps) {
        x = op<arith::SubFOp>(x, k.splat(maximum, width));
        if (!isLog)
          x = math::ExpOp::create(b, loc, x);
      }
      Value f = k.splat(factor, width);
      finish(i, isLog ? op<arith::SubFOp>(x, f) : op<arith::MulFOp>(x, f), width);
    });
  }

  void layerNorm(hx::LayerNormOp norm) {
    bool isPlain = isa<BlockArgument>(input);
    Value n = arith::IndexCastOp::create(b, loc, b.getI64Type(), count);
    n = arith::SIToFPOp::create(b, loc, type, n);
    Value sum = fold(hx::ReduceFn::sum, [&](Value i, unsigned width) {
      Value x = read(i, width, true);
      if (!isPlain)
        keep(i, x);
      return x;
    });
    Value mean = op<arith::DivFOp>(sum, n);
    Value squares = fold(hx::ReduceFn::sum, [&](Value i, unsigned width) {
      Value d = op<arith::SubFOp>(read(i, width, isPlain), k.splat(mean, width));
      return op<arith::MulFOp>(d, d);
    });
    Value variance = op<arith::DivFOp>(squares, n);
    Value epsilon = k.floatConstant(norm.getEpsilon().convertToDouble(), type, 1);
    Value root = math::SqrtOp::create(b, loc, op<arith::AddFOp>(variance, epsilon));
    Value inverse = op<arith::DivFOp>(k.floatConstant(1, type, 1), root);
    walk.forEach(count, [&](Value i, unsigned width) {
      Value d = op<arith::SubFOp>(read(i, width, isPlain), k.splat(mean, width));
      Value y = op<arith::MulFOp>(d, k.splat(inverse, width));
      y = op<arith::MulFOp>(y, parameter(norm.getScale(), i, width));
      if (norm.getBias())
        y = op<arith::AddFOp>(y, parameter(norm.getBias(), i, width));
      finish(i, y, width);
    });
  }

  /// scale or bias: one per position of the row, or one for all.
  Value parameter(Value value, Value i, unsigned width) {
    hx::Dims d = emitter.dims(value);
    SmallVector<Value> index(d.size(), k.index(0));
    if (d.empty() || hx::SymbolTable::constantValue(d.back()) == 1)
      return k.splat(emitter.emit(value, index, 1), width);
    index.back() = i;
    return emitter.emit(value, index, width);
  }

  ElementEmitter &emitter;
  KernelBuilder &k;
  OpBuilder &b;
  Location loc;
  Value input;
  Type type;
  RowWalk walk;
  Value count, current;
  bool keeps = false;
  SmallVector<Value> at;
};

std::string refusal(hx::GroupOp group, hx::SymbolicShapes &shapes) {
  Operation *heavy = heavyOp(group);
  auto isLast = [&](Value input, int64_t axis) {
    return axis + 1 == static_cast<int64_t>(shapes.dims(input).size());
  };
  if (auto op = dyn_cast_or_null<hx::SoftmaxOp>(heavy))
    return isLast(op.getInput(), op.getAxis()) ? "" : "axis is not the last";
  if (auto op = dyn_cast_or_null<hx::LogSoftmaxOp>(heavy))
    return isLast(op.getInput(), op.getAxis()) ? "" : "axis is not the last";
  if (auto op = dyn_cast_or_null<hx::LayerNormOp>(heavy)) {
    if (!isLast(op.getInput(), op.getAxis()))
      return "normalises more than the last axis";
    for (Value parameter : {op.getScale(), op.getBias()})
      if (parameter) {
        hx::Dims dims = shapes.dims(parameter);
        for (size_t axis = 0; axis + 1 < dims.size(); ++axis)
          if (hx::SymbolTable::constantValue(dims[axis]) != 1)
            return "scale or bias differ between rows";
      }
    return "";
  }
  return notMine;
}

/// The row's length, where it is known.
std::optional<int64_t> lengthOf(hx::GroupOp group, hx::SymbolicShapes &shapes) {
  hx::Dims dims = shapes.dims(heavyOp(group)->getOperand(0));
  return hx::SymbolTable::constantValue(dims.back());
}

std::string teamRefusal(hx::GroupOp group, hx::SymbolicShapes &shapes) {
  if (std::string reason = refusal(group, shapes); !reason.empty())
    return reason;
  hx::Dims dims = shapes.dims(heavyOp(group)->getOperand(0));
  hx::Dim total = shapes.symbols().product(dims);
  return rowRefusal(lengthOf(group, shapes), hx::SymbolTable::constantValue(total));
}

} // namespace

const Schedule rowSchedule = {"row", refusal, [](ElementEmitter &emitter) {
                                return RowEmitter(emitter, /*threads=*/0).run();
                              }};

const Schedule teamRowSchedule = {
    "team_row", teamRefusal, [](ElementEmitter &emitter) {
      KernelBuilder &k = emitter.kernel();
      auto length = lengthOf(emitter.groupOp(), k.shapes());
      return RowEmitter(emitter, rowThreads(k.traits(), length)).run();
    }};

} // namespace hexin::codegen
