//===- ModelInputs.h - the types of a model's inputs ------------------------------===//
#ifndef HEXIN_FRONTENDS_ONNX_MODELINPUTS_H
#define HEXIN_FRONTENDS_ONNX_MODELINPUTS_H

#include "frontends/onnx/wire/Model.h"

#include "hexin/status.h"

#include "mlir/IR/BuiltinTypes.h"
#include "llvm/ADT/ArrayRef.h"

#include <map>

namespace hexin::onnx {

struct InputType {
  mlir::RankedTensorType type;
  std::vector<std::string> dimNames; ///< per axis, "" for a static or unnamed size
};

/// Types as declared, with the user's sizes put in: -1 keeps the declared one,
/// and a name whose size is given at one input has it at all.
Result<std::vector<InputType>>
resolveInputs(mlir::MLIRContext *context, llvm::ArrayRef<const ValueInfo *> infos,
              const std::map<std::string, std::vector<int64_t>> &shapes);

} // namespace hexin::onnx

#endif // HEXIN_FRONTENDS_ONNX_MODELINPUTS_H
