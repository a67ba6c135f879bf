//===- DeviceOps.h - what code generation takes ------------------------------===//
//
// Part of the target contract (compiler/transforms/VerifyTargetContract.cpp).
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_COMPILER_IR_DEVICEOPS_H
#define HEXIN_COMPILER_IR_DEVICEOPS_H

#include "mlir/IR/Operation.h"

#include <string>

namespace hexin::hx {

/// Whether codegen writes the op for every target: the closed core set, and the ops
/// above it that are taken whole. All others are gone before placement, are views,
/// constants or the host's, or go to the host where the caller allows it.
bool isDeviceOp(mlir::Operation *op);

/// Whether kernels compute with elements of this type: bool, integers of 8 bits and
/// more, f16, bf16, f32, f64.
bool isDeviceElement(mlir::Type elementType);

/// Whether kernels at least move and convert such elements: integers and floats below
/// a byte, 8-bit floats; of complex numbers those of f32 are moved.
bool isMovedElement(mlir::Type elementType);

/// The operand whose memory is the result's, too: of a reshape, and of a bitcast of
/// elements that kernels widen or only move. Null for other ops, and on the host.
mlir::Value viewedBy(mlir::Operation *op);

/// Why no kernel computes `op`: its kind, or the type of one of its tensors; empty
/// when one does.
std::string deviceRefusal(mlir::Operation *op);

} // namespace hexin::hx

#endif // HEXIN_COMPILER_IR_DEVICEOPS_H
