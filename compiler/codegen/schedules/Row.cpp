//===- Row.cpp - softmax and normalisation: an item or a team owns a row ----===//
//
// Up to three passes over the last axis. What a thread of a warp holds of the row in
// slots (RowLoop.h) is read once. What is behind them, or is all of it for others, is
// computed once and kept between the passes in the result's memory when that has the
// compute type, else in a workspace; where there is neither it is computed again. A
// thread of a team reads again only what it wrote itself.
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
  RowEmitter(ElementEmitter &emitter, bool isTeam)
      : emitter(emitter), k(emitter.kernel()), b(k.builder()), loc(k.loc()),
        input(heavyOp(emitter.groupOp())->getOperand(0)),
        type(computeType(elementType(input))), walk(k, ownersFor(isTeam)) {}

  LogicalResult run() {
    Operation *heavy = heavyOp(emitter.groupOp());

    Value root = emitter.yielded();
    Type rootType = elementType(root);
    keeps = storageType(rootType) == type;
    SmallVector<KExpr> sizes = emitter.sizes(input);
    if (!keeps && k.traits().workspaces && type.isF32()) {
      keeps = true;
      memory = k.workspace(sizes.back());
    }
    count = k.value(sizes.back());
    SmallVector<KExpr> outer(ArrayRef(sizes).drop_back());
    Value row = walk.begin(k.exprs().product(outer), sizes.back());
    at = k.delinearize(row, outer);
    at.push_back(Value());
    if (auto norm = dyn_cast<hx::LayerNormOp>(heavy))
      layerNorm(norm);
    else
      softmax(isa<hx::LogSoftmaxOp>(heavy));
    return success();
  }

private:
  /// Also lets epilogues read `current`, on which their lanes hang.
  RowOwners ownersFor(bool isTeam) {
    Value result = heavyOp(emitter.groupOp())->getResult(0);
    emitter.provide(result, [this](ArrayRef<Value>, unsigned) { return current; });
    unsigned lanes = std::min(emitter.lanesOf(input), emitter.lanes());
    hx::Dim length = emitter.dims(input).back();
    return isTeam ? RowOwners::team(k.traits(), length, lanes)
                  : RowOwners::alone(k.traits(), length, lanes);
  }
  /// The op's input behind the slots; kept after the first pass.
  Value read(Value i, unsigned width, bool isFirst) {
    at.back() = i;
    if (!isFirst && memory)
      return k.load(memory, i, width, type);
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
    if (memory)
      return k.store(memory, i, value, type);
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

  /// Reads the slots; `fill` stands where the row has ended.
  void fillSlots(Value fill) {
    for (unsigned slot = 0; slot < walk.slots(); ++slot) {
      at.back() = walk.slotStart(slot);
      held.push_back(k.ifElse(
          walk.hasSlot(slot), fill.getType(),
          [&] { return SmallVector<Value>{emitter.emit(input, at, walk.lanes())}; },
          [&] { return SmallVector<Value>{fill}; })[0]);
    }
  }
  /// fn over the whole row: ofHeld(slot's elements) and element(i, lanes) behind the
  /// slots.
  Value fold(hx::ReduceFn fn, function_ref<Value(Value &held)> ofHeld,
             function_ref<Value(Value, unsigned)> element) {
    Value nothing = walk.identity(fn, type), share = nothing;
    for (auto [slot, value] : llvm::enumerate(held)) {
      Value hasAll = walk.hasSlot(slot);
      Value x = arith::SelectOp::create(b, loc, hasAll, ofHeld(value), nothing);
      share = emitReduceStep(k, fn, share, x, type);
    }
    return walk.join(fn, type, walk.foldBehindSlots(fn, type, share, element));
  }
  /// Writes the row: ofHeld(slot's elements, i) and element(i, lanes).
  void write(function_ref<Value(Value held, Value i)> ofHeld,
             function_ref<Value(Value, unsigned)> element) {
    for (auto [slot, value] : llvm::enumerate(held))
      k.ifThen(walk.hasSlot(slot), [&, i = walk.slotStart(slot), &value = value] {
        finish(i, ofHeld(value, i), walk.lanes());
      });
    walk.forEachBehindSlots(
        [&](Value i, unsigned width) { finish(i, element(i, width), width); });
  }

  void softmax(bool isLog) {
    bool isPlain = isa<BlockArgument>(input); // nothing to save by keeping it
    fillSlots(walk.identity(hx::ReduceFn::max, type));
    auto asItIs = [](Value &held) { return held; };
    Value maximum = fold(hx::ReduceFn::max, asItIs, [&](Value i, unsigned width) {
      Value x = read(i, width, true);
      if (!isPlain)
        keep(i, x);
      return x;
    });
    auto shift = [&](Value x, unsigned width) {
      return op<arith::SubFOp>(x, k.splat(maximum, width));
    };
    auto exponential = [&](Value x) -> Value { return math::ExpOp::create(b, loc, x); };
    auto ofHeld = [&](Value &held) {
      Value shifted = shift(held, walk.lanes());
      Value e = exponential(shifted);
      held = isLog ? shifted : e;
      return e;
    };
    Value sum = fold(hx::ReduceFn::sum, ofHeld, [&](Value i, unsigned width) {
      Value shifted = shift(read(i, width, isPlain), width);
      Value e = exponential(shifted);
      keep(i, isLog ? shifted : e);
      return e;
    });
    Value factor = isLog ? Value(math::LogOp::create(b, loc, sum))
                         : op<arith::DivFOp>(k.floatConstant(1, type, 1), sum);
    auto scale = [&](Value x, unsigned width) {
      Value f = k.splat(factor, width);
      return isLog ? op<arith::SubFOp>(x, f) : op<arith::MulFOp>(x, f);
    };
    write([&](Value x, Value) { return scale(x, walk.lanes()); },
          [&](Value i, unsigned width) {
            Value x = read(i, width, false);
            if (!keeps) {
              x = shift(x, width);
              if (!isLog)
                x = exponential(x);
            }
            return scale(x, width);
          });
  }

  void layerNorm(hx::LayerNormOp norm) {
    bool isPlain = isa<BlockArgument>(input);
    Value n = arith::IndexCastOp::create(b, loc, b.getI64Type(), count);
    n = arith::SIToFPOp::create(b, loc, type, n);
    fillSlots(walk.identity(hx::ReduceFn::sum, type));
    Value mean;
    if (norm.getCentred()) {
      auto asItIs = [](Value &held) { return held; };
      Value sum = fold(hx::ReduceFn::sum, asItIs, [&](Value i, unsigned width) {
        Value x = read(i, width, true);
        if (!isPlain)
          keep(i, x);
        return x;
      });
      mean = op<arith::DivFOp>(sum, n);
    }
    auto shift = [&](Value x, unsigned width) {
      return mean ? op<arith::SubFOp>(x, k.splat(mean, width)) : x;
    };
    auto ofHeld = [&](Value &held) {
      held = shift(held, walk.lanes());
      return op<arith::MulFOp>(held, held);
    };
    Value squares = fold(hx::ReduceFn::sum, ofHeld, [&](Value i, unsigned width) {
      Value x = read(i, width, isPlain || !mean);
      if (!isPlain && !mean)
        keep(i, x);
      Value d = shift(x, width);
      return op<arith::MulFOp>(d, d);
    });
    Value variance = op<arith::DivFOp>(squares, n);
    Value epsilon = k.floatConstant(norm.getEpsilon().convertToDouble(), type, 1);
    Value root = math::SqrtOp::create(b, loc, op<arith::AddFOp>(variance, epsilon));
    Value inverse = op<arith::DivFOp>(k.floatConstant(1, type, 1), root);
    auto scale = [&](Value d, Value i, unsigned width) {
      Value y = op<arith::MulFOp>(d, k.splat(inverse, width));
      y = op<arith::MulFOp>(y, parameter(norm.getScale(), i, width));
      if (norm.getBias())
        y = op<arith::AddFOp>(y, parameter(norm.getBias(), i, width));
      return y;
    };
    write([&](Value d, Value i) { return scale(d, i, walk.lanes()); },
          [&](Value i, unsigned width) {
            return scale(shift(read(i, width, isPlain), width), i, width);
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
  SmallVector<Value> held; ///< per slot
  bool keeps = false;
  Value memory; ///< the workspace, where that is where a row is kept
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
                                return RowEmitter(emitter, /*isTeam=*/false).run();
                              }};

const Schedule teamRowSchedule = {
    "team_row", teamRefusal,
    [](ElementEmitter &emitter) { return RowEmitter(emitter, /*isTeam=*/true).run(); },
    /*errorConstant=*/4, /*avoidsSplitVectors=*/true};

} // namespace hexin::codegen
