#include "compiler/codegen/schedules/recurrent/Layer.h"

#include "compiler/codegen/Positions.h"
#include "compiler/codegen/schedules/RowLoop.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;

namespace hexin::codegen::recurrent {

Layer::Layer(ElementEmitter &emitter, const LayerParts &parts)
    : emitter(emitter), k(emitter.kernel()), b(k.builder()), loc(k.loc()), parts(parts),
      stored(elementType(parts.input)), type(computeType(stored)),
      lanes(k.traits().vectorLanes) {
  if (type.getIntOrFloatBitWidth() > 32)
    lanes = std::max(1u, lanes / 2);
  SmallVector<KExpr> y = emitter.sizes(parts.output);
  steps = k.value(y[0]);
  hidden = k.value(y[3]);
  bindRecurrence(y[3]);
  input = emitter.memrefOf(parts.input);
  output = emitter.memrefOfResult(0);
  lastH = emitter.memrefOfResult(1);
  if (lanes > 1)
    gathered = k.scratch(parts.numGates * lanes, type);
}

/// Panels of cells for each gate have zeros beyond the last cell.
void Layer::bindRecurrence(KExpr numCells) {
  auto packed = cast<RankedTensorType>(parts.recurrence.getType()).getEncoding();
  if (!packed) {
    recurrence = emitter.memrefOf(parts.recurrence);
    return;
  }
  width = cast<hx::PanelsAttr>(packed).getWidth();
  lanes = std::min<unsigned>(lanes, width);
  cellLanes = lanes;
  KExpr perGate = k.exprs().ceilDiv(numCells, k.constantExpr(width));
  KExpr elements = k.exprs().mul(numCells, k.constantExpr(width));
  KExpr gates = emitter.sizes(parts.recurrence)[0];
  unsigned argument = cast<BlockArgument>(parts.recurrence).getArgNumber();
  recurrence = k.bind(emitter.groupOp().getInputs()[argument],
                      k.exprs().product({gates, perGate, elements}));
  panelElements = k.value(elements);
  panelsPerGate = k.value(perGate);
}

void Layer::run() {
  SmallVector<KExpr> rows(ArrayRef(emitter.sizes(parts.lastH)).take_front(2));
  Value item = k.beginItems(k.exprs().product(rows));
  SmallVector<Value> at = k.delinearize(item, rows);
  direction = at[0], row = at[1];
  isSecond =
      arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ne, direction, k.index(0));
  state = emitter.linearize(parts.lastH, {direction, row, k.index(0)});

  Value length = steps;
  if (parts.lengths)
    length = codegen::length(k, emitter.emit(parts.lengths, {row}, 1),
                             emitter.sizes(parts.output)[0]);
  initialise(lastH, parts.initialH, length);
  initialiseMore(length);
  countUp(k.index(0), length, [&](Value step) {
    Value mirrored = k.sub(k.sub(length, k.index(1)), step);
    Value time = parts.direction == hx::RecurrentDirection::forward ? step : mirrored;
    if (parts.direction == hx::RecurrentDirection::bidirectional)
      time = arith::SelectOp::create(b, loc, isSecond, mirrored, step);
    Value y = outputAt(time);
    emitStepCells(time, y);
    forEachInRow(k, hidden, lanes, [&](Value i, unsigned width) {
      Value h = k.load(output, k.add(y, i), width, stored);
      k.store(lastH, k.add(state, i), h, stored);
    });
  });
  if (parts.lengths)
    countUp(length, steps, [&](Value time) {
      Value y = outputAt(time);
      forEachInRow(k, hidden, lanes, [&](Value i, unsigned width) {
        k.store(output, k.add(y, i), constant(0, width), stored);
      });
    });
}

void Layer::countUp(Value from, Value to, function_ref<void(Value)> body) {
  k.forLoop(from, to, k.index(1), {}, [&](Value i, ValueRange) {
    body(i);
    return SmallVector<Value>();
  });
}

Value Layer::outputAt(Value time) {
  return emitter.linearize(parts.output, {time, direction, row, k.index(0)});
}

void Layer::initialise(Value memref, Value initial, Value length) {
  Value isEmpty =
      arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, length, k.index(0));
  forEachInRow(k, hidden, lanes, [&](Value i, unsigned width) {
    Value value = constant(0, width);
    if (initial) {
      Value given = emitter.emit(initial, {direction, row, i}, width);
      value =
          parts.lengths ? arith::SelectOp::create(b, loc, isEmpty, value, given) : given;
    }
    k.store(memref, k.add(state, i), value, stored);
  });
}

/// Some vectors of cells at a time, their gates in registers.
void Layer::emitCells(Value time, Value y) {
  Value gates = k.mul(direction, k.index(parts.numGates));
  Value projected = emitter.linearize(parts.input, {time, row, k.mul(gates, hidden)});
  unsigned perBlock =
      width > 0 ? std::clamp<unsigned>(k.traits().tileVectors, 1, width / cellLanes) : 1;
  k.forLoop(k.index(0), hidden, k.index(perBlock * cellLanes), {},
            [&](Value cell, ValueRange) {
              SmallVector<Value> sums = multiplyState(cell, perBlock);
              for (unsigned v = 0; v < perBlock; ++v)
                finishCells(ArrayRef(sums).slice(parts.numGates * v, parts.numGates),
                            projected, k.add(cell, k.index(v * cellLanes)), y);
              return SmallVector<Value>();
            });
}

/// The state times the recurrence of `perBlock` vectors of cells from `cell` on: for each
/// its gates.
SmallVector<Value> Layer::multiplyState(Value cell, unsigned perBlock) {
  bool isPacked = width > 0;
  Value panelWidth = k.index(width);
  SmallVector<Value> starts;
  for (unsigned gate = 0; gate < parts.numGates; ++gate) {
    Value matrix = k.add(k.mul(direction, k.index(parts.numGates)), k.index(gate));
    if (isPacked) {
      Value number = k.add(k.mul(matrix, panelsPerGate), k.div(cell, panelWidth));
      starts.push_back(k.add(k.mul(number, panelElements), k.rem(cell, panelWidth)));
    } else {
      starts.push_back(k.mul(k.add(k.mul(matrix, hidden), cell), hidden));
    }
  }
  SmallVector<Value> zeros(parts.numGates * perBlock, constant(0, cellLanes));
  return k.forLoop(
      k.index(0), hidden, k.index(1), zeros, [&](Value i, ValueRange carried) {
        Value h = k.splat(k.load(lastH, k.add(state, i), 1, stored), cellLanes);
        Value depth = isPacked ? k.mul(i, panelWidth) : i;
        SmallVector<Value> next;
        for (unsigned v = 0; v < perBlock; ++v)
          for (unsigned gate = 0; gate < parts.numGates; ++gate) {
            Value at = k.add(k.add(starts[gate], depth), k.index(v * cellLanes));
            Value w = k.load(recurrence, at, cellLanes, stored);
            next.push_back(math::FmaOp::create(b, loc, h, w, carried[next.size()]));
          }
        return next;
      });
}

/// The cells of one vector, or those of them that there are.
void Layer::finishCells(ArrayRef<Value> states, Value projected, Value cell, Value y) {
  auto finish = [&](Value cell, unsigned width, ArrayRef<Value> states) {
    SmallVector<Value> inputs;
    for (unsigned gate = 0; gate < parts.numGates; ++gate) {
      Value at = k.add(projected, k.add(k.mul(k.index(gate), hidden), cell));
      inputs.push_back(k.load(input, at, width, stored));
    }
    updateCells(inputs, states, cell, k.add(y, cell), width);
  };
  if (cellLanes == 1)
    return k.ifThen(k.less(cell, hidden), [&] { finish(cell, 1, states); });
  Value end = k.add(cell, k.index(cellLanes));
  Value isWhole = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::sle, end, hidden);
  auto whole = [&] {
    finish(cell, cellLanes, states);
    return SmallVector<Value>();
  };
  auto oneByOne = [&] {
    for (unsigned gate = 0; gate < parts.numGates; ++gate)
      k.store(gathered, k.index(gate * cellLanes), states[gate], type);
    countUp(cell, hidden, [&](Value one) {
      SmallVector<Value> ofOne;
      for (unsigned gate = 0; gate < parts.numGates; ++gate) {
        Value at = k.add(k.index(gate * cellLanes), k.sub(one, cell));
        ofOne.push_back(k.load(gathered, at, 1, type));
      }
      finish(one, 1, ofOne);
    });
    return SmallVector<Value>();
  };
  k.ifElse(isWhole, {}, whole, oneByOne);
}

Value Layer::activate(unsigned slot, Value x) {
  ArrayRef<GateActivation> functions = parts.activations;
  Value y = functions[slot].emit(k, x, type);
  unsigned ofSecond = slot + parts.numFunctions;
  if (functions.size() <= parts.numFunctions || functions[slot] == functions[ofSecond])
    return y;
  return arith::SelectOp::create(b, loc, isSecond, functions[ofSecond].emit(k, x, type),
                                 y);
}

Value Layer::clip(Value x, unsigned width) {
  if (!(parts.clipLimit > 0))
    return x;
  x = make<arith::MaximumFOp>(x, constant(-parts.clipLimit, width));
  return make<arith::MinimumFOp>(x, constant(parts.clipLimit, width));
}

} // namespace hexin::codegen::recurrent
