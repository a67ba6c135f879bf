//===- AttributeConversion.h - hx attributes and types in the runtime's form -----===//
#ifndef HEXIN_COMPILER_IR_ATTRIBUTECONVERSION_H
#define HEXIN_COMPILER_IR_ATTRIBUTECONVERSION_H

#include "runtime/base/Attributes.h"

#include "hexin/value.h"

#include "mlir/IR/Operation.h"

#include <optional>

namespace hexin::hx {

/// The attributes of an hx op as runtime/base/Attributes.h has them, defaults
/// included: enums as their keywords, booleans as 0 and 1, types as "f32". An op
/// with several optional operands also has "operandSegmentSizes": how many values
/// each declared operand has. Left out: the elements of hx.constant, and
/// attributes with a dialect prefix, which are notes for the compiler.
Attributes toAttributes(mlir::Operation *op);

/// The element type in memory; nullopt for one that no tensor in memory has.
std::optional<DType> toDType(mlir::Type elementType);
mlir::Type toElementType(DType dtype, mlir::MLIRContext *context);

} // namespace hexin::hx

#endif // HEXIN_COMPILER_IR_ATTRIBUTECONVERSION_H
