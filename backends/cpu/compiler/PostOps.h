//===- PostOps.h - a group's epilogue as oneDNN post-ops ------------------------===//
#ifndef HEXIN_BACKENDS_CPU_COMPILER_POSTOPS_H
#define HEXIN_BACKENDS_CPU_COMPILER_POSTOPS_H

#include "compiler/ir/Ops.h"
#include "compiler/ir/SymbolicShapes.h"

#include <optional>
#include <string>

namespace hexin::cpu {

struct Epilogue {
  std::string postOps;                     ///< backends/cpu/abi/LibraryOps.h
  mlir::Value bias;                        ///< [columns]; null: none
  llvm::SmallVector<mlir::Value> operands; ///< of the binary steps, in order
  bool hasRelu = false; ///< in a form that keeps NaN, and costs about 16 operations
  /// The first step of which oneDNN makes a number of NaN, or NaN of an infinity;
  /// empty: none does.
  std::string lossyStep;
};

/// What stands between `heavy` and the end of its group, as steps. Values are
/// arguments of the group's body. `channelAxis`: of the result; an operand may have
/// the result's sizes, one value per channel, or be a scalar. With `mayTakeBias` an
/// addition per channel that comes first becomes the bias. Nullopt, and why in
/// `reason`, when oneDNN has no such steps.
std::optional<Epilogue> readEpilogue(mlir::Operation *heavy, hx::GroupOp group,
                                     hx::SymbolicShapes &shapes, int64_t channelAxis,
                                     bool mayTakeBias, std::string &reason);

} // namespace hexin::cpu

#endif // HEXIN_BACKENDS_CPU_COMPILER_POSTOPS_H
