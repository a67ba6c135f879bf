//===- ConstantTensor.h - constants and weights as host tensors -------------===//
#ifndef HEXIN_COMPILER_TRANSFORMS_CONSTANTTENSOR_H
#define HEXIN_COMPILER_TRANSFORMS_CONSTANTTENSOR_H

#include "compiler/ir/WeightStore.h"

#include "hexin/value.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/Value.h"

#include <optional>

namespace hexin::hx {

/// Whether all values come from hx.constant or hx.weight.
bool isConstantLike(mlir::ValueRange values);

/// The bytes of an hx.constant or hx.weight (borrowed for weights, which the
/// store owns); nullopt for anything else, or a weight without a store.
std::optional<Tensor> constantTensor(mlir::Value value);

/// An hx.constant for small tensors and splats, else an hx.weight added to
/// `store`; null when it is large and there is no store.
mlir::Value materialiseConstant(mlir::OpBuilder &builder, mlir::Location loc,
                                const Tensor &tensor, WeightStore *store);

/// Operands with their position in the op's definition: absent optional operands
/// leave gaps.
llvm::SmallVector<std::pair<size_t, mlir::Value>> odsOperands(mlir::Operation *op);

} // namespace hexin::hx

#endif // HEXIN_COMPILER_TRANSFORMS_CONSTANTTENSOR_H
