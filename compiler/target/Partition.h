//===- Partition.h - ops into groups, each one kernel -----------------------===//
//
// Gives every op of @main its place: on the host (shape arithmetic that only the
// host reads), as a view, or in an hx.group that becomes one kernel. A group has
// at most one heavy op, elementwise ops behind it and, where that reads every
// element once, elementwise and movement ops before it; 64 ops in all. Attention is one
// group where options ask for that.
//
// The branches of an hx.if keep their ops: groups are formed inside of each.
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_COMPILER_TARGET_PARTITION_H
#define HEXIN_COMPILER_TARGET_PARTITION_H

#include "compiler/ir/SymbolicShapes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

#include <string>
#include <vector>

namespace hexin {

/// In `disabled`: convolutions of one channel stay f32 where others are of bf16.
inline constexpr llvm::StringLiteral bfloatSignals = "bf16-signals";

struct PlacementOptions {
  /// Ops ("conv", "hx.conv"), schedules ("packed") and bfloatSignals to do without.
  std::vector<std::string> disabled;
  /// Ops (hx or ONNX name, "Conv") and node names that may run on the host.
  std::vector<std::string> allowFallback;
  /// Attention becomes one group (Attention.h), but for fewer queries than this; 0: none
  /// does.
  int64_t fewestQueries = 0;
  /// Products read 8-bit numbers as they are, not as the floats that they stand for.
  bool narrowProducts = false;
  /// Where they read weights of 8 bits, the other side is rounded to 8 bits when it runs.
  bool quantisesInputs = false;
  /// Products with constants are of bf16, summed in f32.
  bool bfloatProducts = false;
};

/// Whether an option's `entry` means `op`, written as its kind ("hx.layer_norm",
/// "LayerNorm") or `node`, the model's name of it.
bool namesOp(llvm::StringRef entry, llvm::StringRef op, llvm::StringRef node = "");

/// Where an op stands. `host`: what it computes is only known there, as expressions.
/// `byNature`: it runs on the host, as strings, sequences and the like live nowhere else.
/// `fallback`: on the host with the reference kernel, because the caller allowed it.
enum class Place { constant, host, view, device, byNature, fallback, unsupported };
Place placeOf(mlir::Operation *op, hx::SymbolicShapes &shapes);

/// Ops that nothing on the device needs: what they compute is only read on the host
/// as expressions over sizes and contents of inputs, or not at all.
llvm::DenseSet<mlir::Operation *> hostOnlyOps(mlir::func::FuncOp func,
                                              hx::SymbolicShapes &shapes);

/// Marks the ops that go to the host. Fails at the first op that the device cannot
/// or must not run and that may not go there; the diagnostic says how to allow it.
mlir::LogicalResult markFallbacks(mlir::func::FuncOp func,
                                  const PlacementOptions &options);

/// The reason of an op marked by markFallbacks, or "".
llvm::StringRef fallbackReason(mlir::Operation *op);

/// Forms the groups of `func` in place; their `schedule` and `reason` say how each
/// will be written. Fails with a diagnostic at the first op that no kernel can
/// compute.
mlir::LogicalResult partition(mlir::func::FuncOp func, const PlacementOptions &options);

} // namespace hexin

#endif // HEXIN_COMPILER_TARGET_PARTITION_H
