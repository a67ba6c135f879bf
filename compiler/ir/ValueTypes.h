//===- ValueTypes.h - types of values that are no tensors, compared and joined ---===//
//
// `none` as the element of a sequence stands for what is not known yet: an empty
// sequence that nobody gave a type.
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_COMPILER_IR_VALUETYPES_H
#define HEXIN_COMPILER_IR_VALUETYPES_H

#include "mlir/IR/Types.h"

namespace hexin::hx {

/// A tensor of strings, or no tensor: what never lies in a device's memory.
bool isHostType(mlir::Type type);

/// Whether a value of one type can be one of the other: only sizes, and ranks inside of
/// sequences and optionals, may differ.
bool areCompatible(mlir::Type a, mlir::Type b);

/// The type that values of both have: `?` and unknown ranks where they differ; null when
/// there is none.
mlir::Type joinTypes(mlir::Type a, mlir::Type b);

/// What a sequence or optional holds; null for other types.
mlir::Type heldType(mlir::Type type);

} // namespace hexin::hx

#endif // HEXIN_COMPILER_IR_VALUETYPES_H
