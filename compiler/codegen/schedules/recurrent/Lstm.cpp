// LSTM. Without projected inputs each gate of a cell is two dot products, over the input
// [I] and the old state [H], gathered in scratch. lastC [D, B, H] is the cell, updated in
// place.
#include "compiler/codegen/schedules/RowLoop.h"
#include "compiler/codegen/schedules/recurrent/Cells.h"
#include "compiler/codegen/schedules/recurrent/Layer.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

#include <array>

using namespace mlir;

namespace hexin::codegen::recurrent {
namespace {

class LstmLayer : public Layer {
public:
  LstmLayer(ElementEmitter &emitter, const LayerParts &parts, hx::LstmOp op)
      : Layer(emitter, parts), op(op), lastC(emitter.memrefOfResult(2)) {}

private:
  void initialiseMore(Value length) override {
    initialise(lastC, op.getInitialC(), length);
  }

  void emitStepCells(Value step) override {
    if (!op.getWeights())
      return emitCells(step);
    Value time = timeOf(step);
    emitCellsByDots(time, outputAt(time));
  }

  void updateCells(ArrayRef<Value> inputs, ArrayRef<Value> states, Value cell, Value y,
                   unsigned width) override {
    SmallVector<Value, 4> gates;
    for (auto [ofInput, ofState] : llvm::zip(inputs, states))
      gates.push_back(make<arith::AddFOp>(ofInput, ofState));
    updateLstm(gates, cell, y, width);
  }

  void emitCellsByDots(Value time, Value y) {
    forEachInRow(k, hidden, lanes, [&](Value cell, unsigned width) {
      SmallVector<Value, 4> gates(4);
      if (width == 1) {
        llvm::copy(projections(time, cell), gates.begin());
      } else {
        countUp(k.index(0), k.index(width), [&](Value j) {
          std::array<Value, 4> sums = projections(time, k.add(cell, j));
          for (unsigned gate = 0; gate < 4; ++gate)
            k.store(gathered, k.add(k.index(gate * lanes), j), sums[gate], type);
        });
        for (unsigned gate = 0; gate < 4; ++gate)
          gates[gate] = k.load(gathered, k.index(gate * lanes), width, type);
      }
      updateLstm(gates, cell, k.add(y, cell), width);
    });
  }

  /// x W^T + h R^T of one cell, gates i o f c.
  std::array<Value, 4> projections(Value time, Value cell) {
    SmallVector<Value> sums(4, constant(0, 1));
    Value x = emitter.linearize(op.getInput(), {time, row, k.index(0)});
    addDots(sums, op.getWeights(), cell, emitter.memrefOf(op.getInput()), x,
            k.value(emitter.sizes(op.getInput())[2]));
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

  /// `gates`: all sums but the biases.
  void updateLstm(MutableArrayRef<Value> gates, Value cell, Value y, unsigned width) {
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

  hx::LstmOp op;
  Value lastC;
};

} // namespace

/// Functions: of the gates, the cell's input and its output.
LogicalResult emitLstm(ElementEmitter &emitter, hx::LstmOp op) {
  auto activations = readActivations(op, op.getActivations(), op.getActivationAlpha(),
                                     op.getActivationBeta());
  if (failed(activations))
    return failure();
  LayerParts parts{.input = op.getInput(),
                   .recurrence = op.getRecurrence(),
                   .lengths = op.getLengths(),
                   .initialH = op.getInitialH(),
                   .output = op.getOutput(),
                   .lastH = op.getLastH(),
                   .direction = op.getDirection(),
                   .numGates = 4,
                   .clipLimit = op.getClip().convertToDouble(),
                   .activations = *activations,
                   .numFunctions = 3};
  LstmLayer(emitter, parts, op).run();
  return success();
}

} // namespace hexin::codegen::recurrent
