// The cells of a step: the old state times the recurrence, and each vector of gates.
#include "compiler/codegen/schedules/recurrent/Layer.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;

namespace hexin::codegen::recurrent {

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

} // namespace hexin::codegen::recurrent
