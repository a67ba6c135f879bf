//===- Recurrent.cpp - LSTM, GRU, RNN: an item owns rows in one direction ----===//
//
// In reading order: recurrent/Layer.h (the walk over steps; LayerCells.cpp: a step),
// GateActivation.h, then Lstm.cpp and Recurrence.cpp (what a cell makes of its gates).
//
//===----------------------------------------------------------------------===//

#include "compiler/codegen/schedules/Schedules.h"
#include "compiler/codegen/schedules/recurrent/Cells.h"

using namespace mlir;

namespace hexin::codegen {
namespace {

std::string refusal(hx::GroupOp group, hx::SymbolicShapes &) {
  return isa_and_nonnull<hx::LstmOp, hx::RecurrenceOp>(heavyOp(group)) ? "" : notMine;
}

LogicalResult emit(ElementEmitter &emitter) {
  Operation *heavy = heavyOp(emitter.groupOp());
  if (auto op = dyn_cast<hx::RecurrenceOp>(heavy))
    return recurrent::emitRecurrence(emitter, op);
  return recurrent::emitLstm(emitter, cast<hx::LstmOp>(heavy));
}

} // namespace

const Schedule recurrentSchedule = {"recurrent", refusal, emit};

} // namespace hexin::codegen
