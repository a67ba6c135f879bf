// RNN and GRU.
#include "compiler/codegen/schedules/recurrent/Cells.h"
#include "compiler/codegen/schedules/recurrent/Layer.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;

namespace hexin::codegen::recurrent {
namespace {

class RnnLayer : public Layer {
public:
  using Layer::Layer;

private:
  void updateCells(ArrayRef<Value> inputs, ArrayRef<Value> states, Value cell, Value y,
                   unsigned width) override {
    Value sum = make<arith::AddFOp>(inputs[0], states[0]);
    k.store(output, y, activate(0, clip(sum, width)), stored);
  }
};

class GruLayer : public Layer {
public:
  GruLayer(ElementEmitter &emitter, const LayerParts &parts, Value resetBias)
      : Layer(emitter, parts), resetBias(resetBias) {}

private:
  void updateCells(ArrayRef<Value> inputs, ArrayRef<Value> states, Value cell, Value y,
                   unsigned width) override {
    auto gate = [&](unsigned number) {
      Value sum = make<arith::AddFOp>(inputs[number], states[number]);
      return activate(0, clip(sum, width));
    };
    Value update = gate(0), reset = gate(1);
    Value memory = states[2];
    if (resetBias)
      memory =
          make<arith::AddFOp>(memory, emitter.emit(resetBias, {direction, cell}, width));
    Value sum = math::FmaOp::create(b, loc, reset, memory, inputs[2]);
    Value candidate = activate(1, clip(sum, width));
    Value old = k.load(lastH, k.add(state, cell), width, stored);
    Value kept =
        make<arith::MulFOp>(make<arith::SubFOp>(constant(1, width), update), candidate);
    k.store(output, y, math::FmaOp::create(b, loc, update, old, kept), stored);
  }

  Value resetBias; ///< or null
};

} // namespace

LogicalResult emitRecurrence(ElementEmitter &emitter, hx::RecurrenceOp op) {
  auto activations = readActivations(op, op.getActivations(), op.getActivationAlpha(),
                                     op.getActivationBeta());
  if (failed(activations))
    return failure();
  bool isGru = op.getCell() == hx::RecurrentCell::gru;
  LayerParts parts{.input = op.getInput(),
                   .recurrence = op.getRecurrence(),
                   .lengths = op.getLengths(),
                   .initialH = op.getInitialH(),
                   .output = op.getOutput(),
                   .lastH = op.getLastH(),
                   .direction = op.getDirection(),
                   .numGates = unsigned(op.numGates()),
                   .clipLimit = op.getClip().convertToDouble(),
                   .activations = *activations,
                   .numFunctions = isGru ? 2u : 1u};
  if (isGru)
    GruLayer(emitter, parts, op.getResetBias()).run();
  else
    RnnLayer(emitter, parts).run();
  return success();
}

} // namespace hexin::codegen::recurrent
