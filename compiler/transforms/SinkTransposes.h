//===- SinkTransposes.h - transposes towards the results --------------------===//
#ifndef HEXIN_COMPILER_TRANSFORMS_SINKTRANSPOSES_H
#define HEXIN_COMPILER_TRANSFORMS_SINKTRANSPOSES_H

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace hexin::hx {

/// Moves the transposes of `func` through every op that does not mind, until they
/// meet their inverse or an op that does. What is left and moves no data becomes a
/// reshape. Fails only when the rewriting does not come to an end.
mlir::LogicalResult sinkTransposes(mlir::func::FuncOp func);

} // namespace hexin::hx

#endif // HEXIN_COMPILER_TRANSFORMS_SINKTRANSPOSES_H
