//===- ValueTypes.h - declared types of values as the IR's ---------------------===//
#ifndef HEXIN_FRONTENDS_ONNX_VALUETYPES_H
#define HEXIN_FRONTENDS_ONNX_VALUETYPES_H

#include "frontends/onnx/wire/Model.h"

#include "hexin/status.h"

#include "mlir/IR/BuiltinTypes.h"

namespace hexin::onnx {

/// The IR's type of a TypeProto: a tensor is unranked where it has no shape, and its
/// sizes are `?` where they are names. The reader has bounded how deep it is.
/// unsupported says what hexin does not have.
Result<mlir::Type> toValueType(mlir::MLIRContext *context, const TypeInfo &info);

} // namespace hexin::onnx

#endif // HEXIN_FRONTENDS_ONNX_VALUETYPES_H
