//===- ElementTypes.h - element types of files, of memory and of the IR ---------===//
#ifndef HEXIN_FRONTENDS_ONNX_ELEMENTTYPES_H
#define HEXIN_FRONTENDS_ONNX_ELEMENTTYPES_H

#include "hexin/value.h"

#include "mlir/IR/Attributes.h"
#include "mlir/IR/BuiltinAttributeInterfaces.h"
#include "mlir/IR/Types.h"

namespace hexin::onnx {

/// The IR's type of a TensorProto.DataType; null when hexin does not have it.
mlir::Type toElementType(mlir::MLIRContext *context, int32_t dataType);

/// A copy of a (small) tensor as an attribute. Null for strings.
mlir::ElementsAttr toElementsAttr(mlir::MLIRContext *context, const Tensor &tensor);

} // namespace hexin::onnx

#endif // HEXIN_FRONTENDS_ONNX_ELEMENTTYPES_H
