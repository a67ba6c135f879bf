#include "compiler/codegen/schedules/recurrent/Layer.h"

#include "compiler/codegen/Positions.h"
#include "compiler/codegen/schedules/RowLoop.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

#include <algorithm>
#include <bit>

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
  rowsPerItem = chooseRowsPerItem();
  if (rowsPerItem == 1)
    return;
  constexpr unsigned mostRows = 8;
  unsigned sums = k.traits().tileRows * k.traits().tileVectors;
  tileRows = std::bit_floor(std::clamp(sums / parts.numGates, 1u, mostRows));
  tileSums = k.scratch(tileRows * parts.numGates * lanes, type);
}

/// As many as share the recurrence at a step. One that no cache of a core's own holds is
/// best read once for all; else items are for threads. (The same for every ISA.)
int64_t Layer::chooseRowsPerItem() const {
  constexpr int64_t ofLarge = 16, ofSmall = 4, largeElements = 256 << 10;
  if (width == 0 || k.traits().itemPerElement || !k.traits().flatMemory)
    return 1;
  auto type = cast<RankedTensorType>(parts.recurrence.getType());
  bool isSmall =
      type.hasStaticShape() &&
      type.getNumElements() / type.getDimSize(0) * parts.numGates < largeElements;
  int64_t rows = isSmall ? ofSmall : ofLarge;
  int64_t batch = cast<RankedTensorType>(parts.lastH.getType()).getDimSize(1);
  return ShapedType::isDynamic(batch) ? rows : std::clamp<int64_t>(batch, 1, rows);
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
  SmallVector<KExpr> sizes = emitter.sizes(parts.lastH);
  KExpr blocks = k.exprs().ceilDiv(sizes[1], k.constantExpr(rowsPerItem));
  Value item = k.beginItems(k.exprs().mul(sizes[0], blocks));
  SmallVector<Value> at = k.delinearize(item, {sizes[0], blocks});
  direction = at[0];
  firstRow = k.mul(at[1], k.index(rowsPerItem));
  endRow = k.min(k.add(firstRow, k.index(rowsPerItem)), k.value(sizes[1]));
  isSecond =
      arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ne, direction, k.index(0));
  selectRow(firstRow);

  forEachRow([&] {
    Value length = lengthOfRow();
    initialise(lastH, parts.initialH, length);
    initialiseMore(length);
  });
  // Rows that are over stay as they are while others go on.
  Value longest = rowsPerItem == 1 ? lengthOfRow() : steps;
  countUp(k.index(0), longest, [&](Value step) {
    emitStepCells(step);
    forEachRow([&] {
      auto keep = [&] {
        Value y = outputAt(timeOf(step));
        forEachInRow(k, hidden, lanes, [&](Value i, unsigned width) {
          Value h = k.load(output, k.add(y, i), width, stored);
          k.store(lastH, k.add(state, i), h, stored);
        });
      };
      if (rowsPerItem == 1 || !parts.lengths)
        return keep();
      k.ifThen(k.less(step, lengthOfRow()), keep);
    });
  });
  if (!parts.lengths)
    return;
  forEachRow([&] {
    countUp(lengthOfRow(), steps, [&](Value time) {
      Value y = outputAt(time);
      forEachInRow(k, hidden, lanes, [&](Value i, unsigned width) {
        k.store(output, k.add(y, i), constant(0, width), stored);
      });
    });
  });
}

void Layer::selectRow(Value number) {
  row = number;
  state = emitter.linearize(parts.lastH, {direction, row, k.index(0)});
}

Value Layer::lengthOfRow() {
  if (!parts.lengths)
    return steps;
  return codegen::length(k, emitter.emit(parts.lengths, {row}, 1),
                         emitter.sizes(parts.output)[0]);
}

Value Layer::timeOf(Value step) {
  if (parts.direction == hx::RecurrentDirection::forward)
    return step;
  Value mirrored = k.sub(k.sub(lengthOfRow(), k.index(1)), step);
  if (parts.direction == hx::RecurrentDirection::reverse)
    return mirrored;
  return arith::SelectOp::create(b, loc, isSecond, mirrored, step);
}

void Layer::forEachRow(function_ref<void()> body) {
  if (rowsPerItem == 1)
    return body(); // it is at hand
  countUp(firstRow, endRow, [&](Value number) {
    selectRow(number);
    body();
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

void Layer::emitCells(Value step) {
  if (rowsPerItem == 1)
    return emitCellsOfRow(step);
  Value isOne = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq,
                                      k.sub(endRow, firstRow), k.index(1));
  k.ifElse(
      isOne, {},
      [&] {
        selectRow(firstRow);
        auto one = [&] { emitCellsOfRow(step); };
        parts.lengths ? k.ifThen(k.less(step, lengthOfRow()), one) : one();
        return SmallVector<Value>();
      },
      [&] {
        emitCellsOfTiles(step);
        return SmallVector<Value>();
      });
}

/// Of the row at hand some vectors of cells at a time, their gates in registers.
void Layer::emitCellsOfRow(Value step) {
  Value time = timeOf(step), y = outputAt(time), projected = projectedAt(time);
  unsigned perBlock =
      width > 0 ? std::clamp<unsigned>(k.traits().tileVectors, 1, width / cellLanes) : 1;
  forEachCellBlock(step, perBlock * cellLanes, [&](Value cell) {
    SmallVector<Value> sums = multiplyStates(state, cell, perBlock);
    for (unsigned v = 0; v < perBlock; ++v)
      finishCells(ArrayRef(sums).slice(parts.numGates * v, parts.numGates), projected,
                  k.add(cell, k.index(v * cellLanes)), y);
  });
}

/// Of all rows a vector of cells at a time. The last tile multiplies its last row again,
/// for nothing, where it has fewer.
void Layer::emitCellsOfTiles(Value step) {
  Value perTile = k.index(tileRows), lastRow = k.sub(endRow, k.index(1));
  auto tile = [&](Value cell, Value first) {
    SmallVector<Value> states;
    for (unsigned r = 0; r < tileRows; ++r) {
      selectRow(k.min(k.add(first, k.index(r)), lastRow));
      states.push_back(state);
    }
    SmallVector<Value> sums = multiplyStates(states, cell, 1);
    for (auto [i, sum] : llvm::enumerate(sums))
      k.store(tileSums, k.index(i * cellLanes), sum, type);
    countUp(first, k.min(k.add(first, perTile), endRow), [&](Value number) {
      selectRow(number);
      auto finish = [&] {
        Value time = timeOf(step);
        Value at = k.mul(k.sub(number, first), k.index(parts.numGates * cellLanes));
        SmallVector<Value> gates;
        for (unsigned gate = 0; gate < parts.numGates; ++gate)
          gates.push_back(
              k.load(tileSums, k.add(at, k.index(gate * cellLanes)), cellLanes, type));
        finishCells(gates, projectedAt(time), cell, outputAt(time));
      };
      parts.lengths ? k.ifThen(k.less(step, lengthOfRow()), finish) : finish();
    });
  };
  forEachCellBlock(step, cellLanes, [&](Value cell) {
    k.forLoop(firstRow, endRow, perTile, {}, [&](Value first, ValueRange) {
      tile(cell, first);
      return SmallVector<Value>();
    });
  });
}

/// From the first to the last in one step and back in the next: of a recurrence that is
/// larger than a cache, what was read last is still there.
void Layer::forEachCellBlock(Value step, int64_t cells, function_ref<void(Value)> body) {
  Value size = k.index(cells);
  Value blocks = k.div(k.add(hidden, k.index(cells - 1)), size);
  Value isBackwards = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ne,
                                            k.rem(step, k.index(2)), k.index(0));
  countUp(k.index(0), blocks, [&](Value block) {
    Value mirrored = k.sub(k.sub(blocks, k.index(1)), block);
    body(k.mul(arith::SelectOp::create(b, loc, isBackwards, mirrored, block), size));
  });
}

Value Layer::projectedAt(Value time) {
  Value gates = k.mul(direction, k.index(parts.numGates));
  return emitter.linearize(parts.input, {time, row, k.mul(gates, hidden)});
}

/// The states, which lie at `states`, times the recurrence of `perBlock` vectors of cells
/// from `cell` on: for each state, for each vector its gates.
SmallVector<Value> Layer::multiplyStates(ArrayRef<Value> states, Value cell,
                                         unsigned perBlock) {
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
  const unsigned perState = parts.numGates * perBlock;
  SmallVector<Value> zeros(states.size() * perState, constant(0, cellLanes));
  return k.forLoop(
      k.index(0), hidden, k.index(1), zeros, [&](Value i, ValueRange carried) {
        Value depth = isPacked ? k.mul(i, panelWidth) : i;
        SmallVector<Value> weights;
        for (unsigned v = 0; v < perBlock; ++v)
          for (Value start : starts)
            weights.push_back(k.load(recurrence,
                                     k.add(k.add(start, depth), k.index(v * cellLanes)),
                                     cellLanes, stored));
        SmallVector<Value> next;
        for (Value state : states) {
          Value h = k.splat(k.load(lastH, k.add(state, i), 1, stored), cellLanes);
          for (Value w : weights)
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
