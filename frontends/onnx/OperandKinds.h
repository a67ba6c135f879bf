//===- OperandKinds.h - operators that take more than tensors of numbers ------===//
#ifndef HEXIN_FRONTENDS_ONNX_OPERANDKINDS_H
#define HEXIN_FRONTENDS_ONNX_OPERANDKINDS_H

#include "llvm/ADT/StringRef.h"

namespace hexin::onnx {

enum class OperandKinds {
  numbers, ///< tensors of numbers: what an import function may take for granted
  moved,   ///< the same, and strings are moved as numbers are (StringMoves.h)
  strings, ///< tensors of strings too
  values   ///< sequences, optionals and maps too
};

/// What the import function of an operator looks at; domain "" or "ai.onnx.ml".
OperandKinds operandKinds(llvm::StringRef domain, llvm::StringRef opType);

} // namespace hexin::onnx

#endif // HEXIN_FRONTENDS_ONNX_OPERANDKINDS_H
