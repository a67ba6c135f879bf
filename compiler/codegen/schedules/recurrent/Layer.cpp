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
