//===- Branches.h - the two sides of an hx.if --------------------------------------===//
#ifndef HEXIN_FRONTENDS_ONNX_OPS_BRANCHES_H
#define HEXIN_FRONTENDS_ONNX_OPS_BRANCHES_H

#include "frontends/onnx/OpBinder.h"

namespace hexin::onnx {

/// Fills an empty branch that cannot be right for the model's sizes, with values of the
/// types of `like`: a run that takes it ends with `reason`.
mlir::LogicalResult fillWithError(OpBinder &b, mlir::Block &block,
                                  llvm::ArrayRef<Value> like, const std::string &reason);

/// The types of results that are either of two values; empty, with the place of the
/// pair that has none in `mismatch`, when ranks or types differ.
llvm::SmallVector<mlir::Type> typesOfEither(llvm::ArrayRef<Value> onTrue,
                                            llvm::ArrayRef<Value> onFalse,
                                            size_t &mismatch);

} // namespace hexin::onnx

#endif // HEXIN_FRONTENDS_ONNX_OPS_BRANCHES_H
