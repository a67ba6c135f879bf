//===- Recurrent.cpp - lstm: one item owns a batch row in one direction -----===//
//
// An item walks the time steps in order. A step makes the gates of some cells at a
// time, then the cells' formulas on vectors. With projected inputs and a packed
// recurrence the lanes of a vector are cells:
//
//   gates[g][v] = projected[time, row][g, v] + sum over k of splat(h[k]) * panel[g][k][v]
//
// else each gate of a cell is two dot products, over the input [I] and the old state
// [H], gathered in scratch.
//
//   lastH [D, B, H]  the old h while a step runs; the step's Y is copied there
//   lastC [D, B, H]  the cell, updated in place
//   Y [T, D, B, H]   0 beyond a row's length
//
//===----------------------------------------------------------------------===//

#include "compiler/codegen/Positions.h"
#include "compiler/codegen/Scalars.h"
#include "compiler/codegen/schedules/RowLoop.h"
#include "compiler/codegen/schedules/Schedules.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

#include <array>

using namespace mlir;

namespace hexin::codegen {
namespace {

/// An activation by its ONNX name with the parameters meant for it.
struct GateActivation {
  enum class Form { sigmoid, tanh, other } form;
  hx::ActivationKind kind;
  double alpha, beta;

  bool operator==(const GateActivation &other) const = default;

  Value emit(KernelBuilder &k, Value x, Type type) const {
    if (form == Form::sigmoid)
      return emitUnary(k, hx::UnaryFn::sigmoid, x, type);
    if (form == Form::tanh)
      return emitUnary(k, hx::UnaryFn::tanh, x, type);
    return emitActivation(k, kind, x, alpha, beta);
  }
};

/// Three per direction: gates i o f, cell input, output. Parameters are consumed
/// in order by the functions that take them.
FailureOr<SmallVector<GateActivation>> readActivations(hx::LstmOp op) {
  using Form = GateActivation::Form;
  using Kind = hx::ActivationKind;
  const struct {
    StringRef name; ///< lower case
    GateActivation activation;
    bool takesAlpha, takesBeta;
  } rows[] = {
      {"sigmoid", {Form::sigmoid, Kind::relu, 0, 0}, false, false},
      {"tanh", {Form::tanh, Kind::relu, 0, 0}, false, false},
      {"relu", {Form::other, Kind::relu, 0, 0}, false, false},
      {"softsign", {Form::other, Kind::softsign, 0, 0}, false, false},
      {"softplus", {Form::other, Kind::softplus, 0, 0}, false, false},
      {"affine", {Form::other, Kind::affine, 1, 0}, true, true},
      {"leakyrelu", {Form::other, Kind::leaky_relu, 0.01, 0}, true, false},
      {"thresholdedrelu", {Form::other, Kind::thresholded_relu, 1, 0}, true, false},
      {"scaledtanh", {Form::other, Kind::scaled_tanh, 1, 1}, true, true},
      {"hardsigmoid", {Form::other, Kind::hard_sigmoid, 0.2, 0.5}, true, true},
      {"elu", {Form::other, Kind::elu, 1, 0}, true, false},
  };
  ArrayRef<double> alphas = op.getActivationAlpha(), betas = op.getActivationBeta();
  SmallVector<GateActivation> result;
  for (StringAttr name : op.getActivations().getAsRange<StringAttr>()) {
    auto row = llvm::find_if(
        rows, [&](auto &r) { return name.getValue().equals_insensitive(r.name); });
    if (row == std::end(rows)) {
      op.emitOpError("activation '") << name.getValue() << "' is not one of ONNX's";
      return failure();
    }
    GateActivation activation = row->activation;
    auto consume = [](ArrayRef<double> &list, double &value) {
      if (list.empty())
        return;
      value = list.front();
      list = list.drop_front();
    };
    if (row->takesAlpha)
      consume(alphas, activation.alpha);
    if (row->takesBeta)
      consume(betas, activation.beta);
    result.push_back(activation);
  }
  return result;
}

class LstmEmitter {
public:
  LstmEmitter(ElementEmitter &emitter, hx::LstmOp op,
              ArrayRef<GateActivation> activations)
      : emitter(emitter), k(emitter.kernel()), b(k.builder()), loc(k.loc()), op(op),
        activations(activations), stored(elementType(op.getInput())),
        type(computeType(stored)), lanes(k.traits().vectorLanes) {
    if (type.getIntOrFloatBitWidth() > 32)
      lanes = std::max(1u, lanes / 2);
    SmallVector<KExpr> y = emitter.sizes(op.getOutput());
    steps = k.value(y[0]);
    features = k.value(emitter.sizes(op.getInput())[2]);
    hidden = k.value(y[3]);
    if (!op.getWeights())
      bindPanels(y[3]);
    input = emitter.memrefOf(op.getInput());
    output = emitter.memrefOfResult(0);
    lastH = emitter.memrefOfResult(1);
    lastC = emitter.memrefOfResult(2);
    if (lanes > 1)
      gathered = k.scratch(4 * lanes, type);
  }

  void run() {
    SmallVector<KExpr> rows(ArrayRef(emitter.sizes(op.getLastH())).take_front(2));
    Value item = k.beginItems(k.exprs().product(rows));
    SmallVector<Value> at = k.delinearize(item, rows);
    direction = at[0], row = at[1];
    isSecond =
        arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ne, direction, k.index(0));
    state = emitter.linearize(op.getLastH(), {direction, row, k.index(0)});

    Value length = op.getLengths() ? readLength() : steps;
    initialise(lastH, op.getInitialH(), length);
    initialise(lastC, op.getInitialC(), length);
    countUp(k.index(0), length, [&](Value step) {
      Value mirrored = k.sub(k.sub(length, k.index(1)), step);
      bool both = op.getDirection() == hx::RecurrentDirection::bidirectional;
      Value time = op.getDirection() == hx::RecurrentDirection::forward ? step : mirrored;
      if (both)
        time = arith::SelectOp::create(b, loc, isSecond, mirrored, step);
      emitStep(time);
    });
    if (op.getLengths())
      countUp(length, steps, [&](Value time) {
        Value y = outputAt(time);
        forEachInRow(k, hidden, lanes, [&](Value i, unsigned width) {
          k.store(output, k.add(y, i), constant(0, width), stored);
        });
      });
  }

private:
  /// A panel of cells for each gate, zeros beyond the last cell.
  void bindPanels(KExpr numCells) {
    Value recurrence = op.getRecurrence();
    auto encoding = cast<RankedTensorType>(recurrence.getType()).getEncoding();
    width = cast<hx::PanelsAttr>(encoding).getWidth();
    lanes = std::min<unsigned>(lanes, width);
    KExpr perGate = k.exprs().ceilDiv(numCells, k.constantExpr(width));
    KExpr elements = k.exprs().mul(numCells, k.constantExpr(width));
    KExpr gates = emitter.sizes(recurrence)[0];
    unsigned argument = cast<BlockArgument>(recurrence).getArgNumber();
    panels = k.bind(emitter.groupOp().getInputs()[argument],
                    k.exprs().product({gates, perGate, elements}));
    panelElements = k.value(elements);
    panelsPerGate = k.value(perGate);
  }
  void countUp(Value from, Value to, function_ref<void(Value)> body) {
    k.forLoop(from, to, k.index(1), {}, [&](Value i, ValueRange) {
      body(i);
      return SmallVector<Value>();
    });
  }
  Value constant(double value, unsigned width) {
    return k.floatConstant(value, type, width);
  }
  template <typename OpT> Value make(Value x, Value y) {
    return OpT::create(b, loc, x, y);
  }

  Value outputAt(Value time) {
    return emitter.linearize(op.getOutput(), {time, direction, row, k.index(0)});
  }

  /// Steps of this row.
  Value readLength() {
    return codegen::length(k, emitter.emit(op.getLengths(), {row}, 1),
                           emitter.sizes(op.getOutput())[0]);
  }

  /// The state before the first step. A row of length 0 has none, not even the
  /// initial one.
  void initialise(Value memref, Value initial, Value length) {
    Value isEmpty =
        arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, length, k.index(0));
    forEachInRow(k, hidden, lanes, [&](Value i, unsigned width) {
      Value value = constant(0, width);
      if (initial) {
        Value given = emitter.emit(initial, {direction, row, i}, width);
        value = op.getLengths() ? arith::SelectOp::create(b, loc, isEmpty, value, given)
                                : given;
      }
      k.store(memref, k.add(state, i), value, stored);
    });
  }

  void emitStep(Value time) {
    Value y = outputAt(time);
    if (!op.getWeights())
      emitCells(time, y);
    else
      emitCellsByDots(time, y);
    forEachInRow(k, hidden, lanes, [&](Value i, unsigned width) {
      Value h = k.load(output, k.add(y, i), width, stored);
      k.store(lastH, k.add(state, i), h, stored);
    });
  }

  /// Some vectors of cells at a time, their gates in registers; beyond the last cell the
  /// panels have zeros.
  void emitCells(Value time, Value y) {
    Value projected = emitter.linearize(
        op.getInput(), {time, row, k.mul(k.mul(direction, k.index(4)), hidden)});
    unsigned perBlock = std::clamp<unsigned>(k.traits().tileVectors, 1, width / lanes);
    k.forLoop(k.index(0), hidden, k.index(perBlock * lanes), {},
              [&](Value cell, ValueRange) {
                SmallVector<Value> sums = multiplyState(cell, perBlock);
                for (unsigned v = 0; v < perBlock; ++v)
                  finishCells(ArrayRef(sums).slice(4 * v, 4), projected,
                              k.add(cell, k.index(v * lanes)), y);
                return SmallVector<Value>();
              });
  }

  /// h R^T of `perBlock` vectors of cells from `cell` on: for each its four gates.
  SmallVector<Value> multiplyState(Value cell, unsigned perBlock) {
    Value panelWidth = k.index(width);
    Value panel = k.div(cell, panelWidth), column = k.rem(cell, panelWidth);
    std::array<Value, 4> starts;
    for (unsigned gate = 0; gate < 4; ++gate) {
      Value matrix = k.add(k.mul(direction, k.index(4)), k.index(gate));
      Value number = k.add(k.mul(matrix, panelsPerGate), panel);
      starts[gate] = k.add(k.mul(number, panelElements), column);
    }
    SmallVector<Value> zeros(4 * perBlock, constant(0, lanes));
    return k.forLoop(
        k.index(0), hidden, k.index(1), zeros, [&](Value i, ValueRange carried) {
          Value h = k.splat(k.load(lastH, k.add(state, i), 1, stored), lanes);
          Value depth = k.mul(i, panelWidth);
          SmallVector<Value> next;
          for (unsigned v = 0; v < perBlock; ++v)
            for (unsigned gate = 0; gate < 4; ++gate) {
              Value at = k.add(k.add(starts[gate], depth), k.index(v * lanes));
              Value w = k.load(panels, at, lanes, stored);
              next.push_back(math::FmaOp::create(b, loc, h, w, carried[next.size()]));
            }
          return next;
        });
  }

  /// The cells of one vector, or those of them that there are.
  void finishCells(ArrayRef<Value> sums, Value projected, Value cell, Value y) {
    auto finish = [&](Value cell, unsigned width, auto sumOf) {
      std::array<Value, 4> gates;
      for (unsigned gate = 0; gate < 4; ++gate) {
        Value at = k.add(projected, k.add(k.mul(k.index(gate), hidden), cell));
        gates[gate] = make<arith::AddFOp>(k.load(input, at, width, stored), sumOf(gate));
      }
      updateCells(gates, cell, k.add(y, cell), width);
    };
    auto whole = [&] { finish(cell, lanes, [&](unsigned gate) { return sums[gate]; }); };
    if (lanes == 1)
      return k.ifThen(k.less(cell, hidden), whole);
    Value end = k.add(cell, k.index(lanes));
    Value isWhole = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::sle, end, hidden);
    k.ifElse(
        isWhole, {},
        [&] {
          whole();
          return SmallVector<Value>();
        },
        [&] {
          for (unsigned gate = 0; gate < 4; ++gate)
            k.store(gathered, k.index(gate * lanes), sums[gate], type);
          countUp(cell, hidden, [&](Value one) {
            finish(one, 1, [&](unsigned gate) {
              Value at = k.add(k.index(gate * lanes), k.sub(one, cell));
              return k.load(gathered, at, 1, type);
            });
          });
          return SmallVector<Value>();
        });
  }

  void emitCellsByDots(Value time, Value y) {
    forEachInRow(k, hidden, lanes, [&](Value cell, unsigned width) {
      std::array<Value, 4> gates;
      if (width == 1) {
        gates = projections(time, cell);
      } else {
        countUp(k.index(0), k.index(width), [&](Value j) {
          std::array<Value, 4> sums = projections(time, k.add(cell, j));
          for (unsigned gate = 0; gate < 4; ++gate)
            k.store(gathered, k.add(k.index(gate * lanes), j), sums[gate], type);
        });
        for (unsigned gate = 0; gate < 4; ++gate)
          gates[gate] = k.load(gathered, k.index(gate * lanes), width, type);
      }
      updateCells(gates, cell, k.add(y, cell), width);
    });
  }

  /// x W^T + h R^T of one cell, gates i o f c.
  std::array<Value, 4> projections(Value time, Value cell) {
    SmallVector<Value> sums(4, constant(0, 1));
    Value x = emitter.linearize(op.getInput(), {time, row, k.index(0)});
    addDots(sums, op.getWeights(), cell, emitter.memrefOf(op.getInput()), x, features);
    addDots(sums, op.getRecurrence(), cell, lastH, state, hidden);
    return {sums[0], sums[1], sums[2], sums[3]};
  }

  /// sums[g] += matrix[direction, g * H + cell, :] . vector[0 .. depth)
  void addDots(SmallVector<Value> &sums, Value matrix, Value cell, Value vector,
               Value start, Value depth) {
    Value memref = emitter.memrefOf(matrix);
    Type matrixType = elementType(matrix);
    std::array<Value, 4> rows;
    for (unsigned gate = 0; gate < 4; ++gate)
      rows[gate] = emitter.linearize(
          matrix, {direction, k.add(k.mul(k.index(gate), hidden), cell), k.index(0)});
    auto accumulate = [&](Value from, Value to, unsigned width, ArrayRef<Value> init) {
      return k.forLoop(from, to, k.index(width), init, [&](Value i, ValueRange carried) {
        Value v = k.load(vector, k.add(start, i), width, stored);
        SmallVector<Value> next;
        for (unsigned gate = 0; gate < 4; ++gate) {
          Value w = k.load(memref, k.add(rows[gate], i), width, matrixType);
          next.push_back(math::FmaOp::create(b, loc, w, v, carried[gate]));
        }
        return next;
      });
    };
    Value whole = k.index(0);
    if (lanes > 1) {
      whole = k.mul(k.div(depth, k.index(lanes)), k.index(lanes));
      SmallVector<Value> zeros(4, constant(0, lanes));
      SmallVector<Value> partial = accumulate(k.index(0), whole, lanes, zeros);
      for (unsigned gate = 0; gate < 4; ++gate)
        sums[gate] = make<arith::AddFOp>(
            sums[gate], joinLanes(k, hx::ReduceFn::sum, type, partial[gate]));
    }
    sums = accumulate(whole, depth, 1, sums);
  }

  /// Function `slot` (0 gates, 1 cell input, 2 output) of this item's direction.
  Value activate(unsigned slot, Value x) {
    Value y = activations[slot].emit(k, x, type);
    if (activations.size() <= 3 || activations[slot] == activations[slot + 3])
      return y;
    return arith::SelectOp::create(b, loc, isSecond,
                                   activations[slot + 3].emit(k, x, type), y);
  }

  Value clip(Value x, unsigned width) {
    double limit = op.getClip().convertToDouble();
    if (!(limit > 0))
      return x;
    x = make<arith::MaximumFOp>(x, constant(-limit, width));
    return make<arith::MinimumFOp>(x, constant(limit, width));
  }

  void updateCells(std::array<Value, 4> gates, Value cell, Value y, unsigned width) {
    if (op.getBias())
      for (unsigned gate = 0; gate < 4; ++gate)
        for (unsigned half : {0u, 4u}) {
          Value at = k.add(k.mul(k.index(half + gate), hidden), cell);
          gates[gate] = make<arith::AddFOp>(
              gates[gate], emitter.emit(op.getBias(), {direction, at}, width));
        }
    Value position = k.add(state, cell);
    Value c = k.load(lastC, position, width, stored);
    // Peepholes are i o f as well; o sees the new cell.
    auto peep = [&](unsigned gate, Value seen) {
      if (!op.getPeepholes())
        return gates[gate];
      Value at = k.add(k.mul(k.index(gate), hidden), cell);
      Value weight = emitter.emit(op.getPeepholes(), {direction, at}, width);
      return Value(math::FmaOp::create(b, loc, weight, seen, gates[gate]));
    };
    Value in = activate(0, clip(peep(0, c), width));
    Value forget = op.getInputForget() ? make<arith::SubFOp>(constant(1, width), in)
                                       : activate(0, clip(peep(2, c), width));
    Value candidate = activate(1, clip(gates[3], width));
    c = make<arith::AddFOp>(make<arith::MulFOp>(forget, c),
                            make<arith::MulFOp>(in, candidate));
    Value out = activate(0, clip(peep(1, c), width));
    k.store(lastC, position, c, stored);
    k.store(output, y, make<arith::MulFOp>(out, activate(2, c)), stored);
  }

  ElementEmitter &emitter;
  KernelBuilder &k;
  OpBuilder &b;
  Location loc;
  hx::LstmOp op;
  ArrayRef<GateActivation> activations;
  Type stored, type;
  unsigned lanes;
  unsigned width = 0; ///< of the recurrence's panels
  Value panels, panelElements, panelsPerGate;
  Value steps, features, hidden; ///< T, I, H
  Value input, output, lastH, lastC, gathered;
  Value direction, row, isSecond, state;
};

std::string refusal(hx::GroupOp group, hx::SymbolicShapes &) {
  return isa_and_nonnull<hx::LstmOp>(heavyOp(group)) ? "" : notMine;
}

LogicalResult emit(ElementEmitter &emitter) {
  auto op = cast<hx::LstmOp>(heavyOp(emitter.groupOp()));
  FailureOr<SmallVector<GateActivation>> activations = readActivations(op);
  if (failed(activations))
    return failure();
  LstmEmitter(emitter, op, *activations).run();
  return success();
}

} // namespace

const Schedule recurrentSchedule = {"recurrent", refusal, emit};

} // namespace hexin::codegen
