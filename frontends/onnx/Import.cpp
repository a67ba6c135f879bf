#include "frontends/onnx/Import.h"

#include "frontends/onnx/GraphImporter.h"
#include "frontends/onnx/wire/Reader.h"
#include "frontends/onnx/wire/Utf8.h"

#include "compiler/ir/Dialect.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace hexin {
namespace {

ModelFace faceOf(const onnx::Model &model, mlir::ModuleOp module) {
  ModelFace face;
  face.name = onnx::toUtf8(model.graph.name);
  face.doc = onnx::toUtf8(model.doc);
  for (const onnx::StringPair &pair : model.metadata)
    face.metadata.emplace(onnx::toUtf8(pair.key), onnx::toUtf8(pair.value));
  auto port = [](mlir::Attribute name, const std::vector<onnx::ValueInfo> &infos) {
    PortFace port;
    port.name = mlir::cast<mlir::StringAttr>(name).getValue().str();
    for (const onnx::ValueInfo &info : infos)
      if (info.name == port.name)
        port.doc = onnx::toUtf8(info.doc);
    return port;
  };
  auto func = module.lookupSymbol<mlir::func::FuncOp>("main");
  for (unsigned i = 0; i < func.getNumArguments(); ++i)
    face.inputs.push_back(port(func.getArgAttr(i, "hx.name"), model.graph.inputs));
  for (unsigned i = 0; i < func.getNumResults(); ++i)
    face.outputs.push_back(port(func.getResultAttr(i, "hx.name"), model.graph.outputs));
  return face;
}

Result<ImportedModel> importModel(mlir::MLIRContext &context, const onnx::Model &model,
                                  const ImportOptions &options) {
  context.loadDialect<hx::HXDialect, mlir::func::FuncDialect>();
  ImportedModel imported;
  imported.weights = std::make_unique<hx::WeightStore>();
  imported.module = mlir::ModuleOp::create(mlir::UnknownLoc::get(&context));
  hx::WeightStore::attach(*imported.module, imported.weights.get());
  onnx::GraphImporter importer(&context, model, options, *imported.weights);
  HEXIN_RETURN_IF_ERROR(importer.importModel(*imported.module));
  imported.face = faceOf(model, *imported.module);
  return imported;
}

class OnnxFrontend : public Frontend {
public:
  std::string name() const override { return "onnx"; }

  Result<ImportedModel> importFile(mlir::MLIRContext &context, const std::string &path,
                                   const ImportOptions &options) override {
    HEXIN_ASSIGN_OR_RETURN(onnx::Model model, onnx::readModel(path));
    Result<ImportedModel> imported = importModel(context, model, options);
    if (!imported.ok())
      return imported.status().withContext("'" + path + "'");
    return imported;
  }

  Result<ImportedModel> importBytes(mlir::MLIRContext &context,
                                    std::span<const std::byte> bytes,
                                    const ImportOptions &options) override {
    HEXIN_ASSIGN_OR_RETURN(onnx::Model model, onnx::readModel(bytes));
    return importModel(context, model, options);
  }
};

} // namespace

std::unique_ptr<Frontend> createOnnxFrontend() {
  return std::make_unique<OnnxFrontend>();
}

} // namespace hexin
