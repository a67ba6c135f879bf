// hexin-import MODEL.onnx [--shape NAME=1,3,H,-1]... : prints the imported hx module.
#include "frontends/onnx/Import.h"

#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/OperationSupport.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/raw_ostream.h"

static llvm::cl::opt<std::string> modelPath(llvm::cl::Positional, llvm::cl::Required,
                                            llvm::cl::desc("MODEL.onnx"));
static llvm::cl::list<std::string>
    shapeArgs("shape", llvm::cl::desc("fix or name sizes; -1 keeps an axis as it is"),
              llvm::cl::value_desc("NAME=1,3,H,-1"));
static llvm::cl::opt<bool> noPrint("no-print",
                                   llvm::cl::desc("only say how many ops there are"));
static llvm::cl::opt<bool> printLocations("locations",
                                          llvm::cl::desc("print locations too"));

static bool parseShape(llvm::StringRef text, hexin::ImportOptions &options) {
  // Names may hold '=' and ':' themselves; sizes cannot.
  auto [name, sizes] = text.rsplit('=');
  if (name.empty() || name == text)
    return false;
  std::vector<hexin::DimSpec> &values = options.shapes[name.str()];
  llvm::SmallVector<llvm::StringRef> parts;
  sizes.split(parts, ',', -1, /*KeepEmpty=*/false);
  for (llvm::StringRef part : parts) {
    if (int64_t size; !part.getAsInteger(10, size))
      values.emplace_back(size);
    else
      values.emplace_back(part.str());
  }
  return true;
}

int main(int argc, char **argv) {
  llvm::cl::ParseCommandLineOptions(argc, argv,
                                    "Imports an ONNX model and prints it as hx\n");
  hexin::ImportOptions options;
  for (const std::string &text : shapeArgs)
    if (!parseShape(text, options)) {
      llvm::errs() << "error: --shape " << text << ": expected NAME=SIZE,SIZE,...\n";
      return 2;
    }
  mlir::MLIRContext context;
  auto imported = hexin::createOnnxFrontend()->importFile(context, modelPath, options);
  if (!imported.ok()) {
    llvm::errs() << "error: " << imported.status().toString() << "\n";
    return 1;
  }
  if (noPrint) {
    unsigned numOps = 0;
    imported->module->walk([&](mlir::Operation *) { ++numOps; });
    llvm::outs() << numOps << " ops\n";
    return 0;
  }
  mlir::OpPrintingFlags flags;
  if (printLocations)
    flags.enableDebugInfo(true);
  imported->module->print(llvm::outs(), flags);
  llvm::outs() << "\n";
  return 0;
}
