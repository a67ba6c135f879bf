//===- Cells.h - the layers' ops ---------------------------------------------===//
#ifndef HEXIN_COMPILER_CODEGEN_SCHEDULES_RECURRENT_CELLS_H
#define HEXIN_COMPILER_CODEGEN_SCHEDULES_RECURRENT_CELLS_H

#include "compiler/codegen/ElementEmitter.h"

namespace hexin::codegen::recurrent {

/// Each writes the kernel of its op. Fails with a diagnostic.
mlir::LogicalResult emitLstm(ElementEmitter &emitter, hx::LstmOp op);
mlir::LogicalResult emitRecurrence(ElementEmitter &emitter, hx::RecurrenceOp op);

} // namespace hexin::codegen::recurrent

#endif // HEXIN_COMPILER_CODEGEN_SCHEDULES_RECURRENT_CELLS_H
