//===- Errors.h - diagnostics that lead back to the model's node ----------------===//
#ifndef HEXIN_COMPILER_IR_ERRORS_H
#define HEXIN_COMPILER_IR_ERRORS_H

#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/Operation.h"

#include <string>

namespace hexin::hx {

/// The names of the model's nodes that `location` comes from, joined by '+' in
/// order and without repeats; empty when it carries none. Ops carry their node's
/// name as a NameLoc; fusion joins them in a FusedLoc.
std::string nodeNames(mlir::Location location);

/// "hx.conv 'layer1/conv': ", how a message about `op` begins.
std::string describe(mlir::Operation *op);

/// Starts an error at `op` that begins so.
mlir::InFlightDiagnostic emitNodeError(mlir::Operation *op);

} // namespace hexin::hx

#endif // HEXIN_COMPILER_IR_ERRORS_H
