//===- Frontend.h - from a model file to an hx module ---------------------------===//
//
// A frontend reads one model format. What it returns holds func.func @main with
//  - per argument: hx.name = "x", hx.dim_names = ["N", ""] (names of sizes),
//  - per result: hx.name,
//  - ops whose location is a NameLoc with the model's node name,
// and every op's types inferred. Weights are in `weights`, which is attached to
// the module and mostly looks into the mapped file.
//
// Errors never throw: the Status names the node, attribute or tensor at fault.
// One import uses one MLIRContext (with the hx and func dialects loaded by the
// frontend) from one thread.
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_FRONTENDS_FRONTEND_H
#define HEXIN_FRONTENDS_FRONTEND_H

#include "compiler/ir/WeightStore.h"

#include "hexin/compile.h"
#include "hexin/status.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

#include <cstddef>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace hexin {

struct ImportOptions {
  /// As CompileOptions::shapes.
  std::map<std::string, std::vector<DimSpec>> shapes;
};

struct PortFace {
  std::string name;
  std::string doc;
};

/// What a model says about itself.
struct ModelFace {
  std::string name;
  std::string doc;
  std::map<std::string, std::string> metadata;
  std::vector<PortFace> inputs;  ///< in the order of @main's arguments
  std::vector<PortFace> outputs; ///< in the order of its results
};

struct ImportedModel {
  /// Declared before the module, which refers to it, so that it goes after.
  std::unique_ptr<hx::WeightStore> weights;
  mlir::OwningOpRef<mlir::ModuleOp> module;
  ModelFace face;
};

class Frontend {
public:
  virtual ~Frontend() = default;

  /// "onnx", ...
  virtual std::string name() const = 0;

  /// Reads a file, and files beside it that it refers to. The files must not
  /// change while the result lives: its weights look into them.
  virtual Result<ImportedModel> importFile(mlir::MLIRContext &context,
                                           const std::string &path,
                                           const ImportOptions &options) = 0;

  /// Reads from memory, which must outlive the result.
  virtual Result<ImportedModel> importBytes(mlir::MLIRContext &context,
                                            std::span<const std::byte> bytes,
                                            const ImportOptions &options) = 0;
};

} // namespace hexin

#endif // HEXIN_FRONTENDS_FRONTEND_H
