//===- ModelInputs.h - the types of a model's inputs ------------------------------===//
#ifndef HEXIN_FRONTENDS_ONNX_MODELINPUTS_H
#define HEXIN_FRONTENDS_ONNX_MODELINPUTS_H

#include "frontends/onnx/wire/Model.h"

#include "hexin/compile.h"

#include "mlir/IR/BuiltinTypes.h"
#include "llvm/ADT/ArrayRef.h"

#include <map>

namespace hexin::onnx {

/// What an artifact's ports and steps can have.
inline constexpr int64_t maxRank = 32;

struct InputType {
  mlir::Type type;
  /// Of a tensor, per axis: "" for a static or unnamed size.
  std::vector<std::string> dimNames;
};

/// Types as declared, with the user's sizes and names put in. A name that the user
/// gives takes the place of the declared one at all inputs; a name whose size is
/// given at one input has it at all. Contradictions say where both sides come from.
/// Sizes given for a sequence, optional or map are those of the tensors in it.
Result<std::vector<InputType>>
resolveInputs(mlir::MLIRContext *context, llvm::ArrayRef<const ValueInfo *> infos,
              const std::map<std::string, std::vector<DimSpec>> &shapes);

} // namespace hexin::onnx

#endif // HEXIN_FRONTENDS_ONNX_MODELINPUTS_H
