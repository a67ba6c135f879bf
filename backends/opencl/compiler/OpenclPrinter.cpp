#include "backends/opencl/compiler/OpenclPrinter.h"
#include "backends/opencl/abi/OpenclText.h"
#include "backends/opencl/compiler/KernelPrinter.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;

namespace hexin::opencl {

static bool usesF64(ModuleOp module) {
  auto isF64 = [](Type type) {
    if (auto shaped = dyn_cast<ShapedType>(type))
      type = shaped.getElementType();
    return type.isF64();
  };
  WalkResult walk = module.walk([&](Operation *op) {
    bool found = llvm::any_of(op->getResultTypes(), isF64) ||
                 llvm::any_of(op->getOperandTypes(), isF64);
    return found ? WalkResult::interrupt() : WalkResult::advance();
  });
  return walk.wasInterrupted();
}

FailureOr<std::string> printOpenclModule(ModuleOp module) {
  Helpers helpers;
  std::string kernels;
  llvm::raw_string_ostream os(kernels);
  for (Operation &op : module.getBody()->getOperations()) {
    auto kernel = dyn_cast<func::FuncOp>(op);
    if (!kernel) {
      op.emitOpError("is no kernel; a kernel module holds only func.func");
      return failure();
    }
    bool isForTeams = kernel->hasAttr("hx.team_threads");
    if (isForTeams)
      os << "#ifdef " << localMemoryMacro << '\n';
    KernelPrinter printer(os, helpers);
    if (failed(printer.printKernel(kernel)))
      return failure();
    os << (isForTeams ? "#endif\n\n" : "\n");
  }
  // Multiply and add are fused where the IR says so, never by the C compiler:
  // every device then rounds the same way.
  std::string text = "// OpenCL C 1.2\n#pragma OPENCL FP_CONTRACT OFF\n";
  if (usesF64(module))
    text += "#pragma OPENCL EXTENSION cl_khr_fp64 : enable\n";
  if (helpers.usesF16())
    text += "#ifdef " + std::string(hasFp16Macro) +
            "\n#pragma OPENCL EXTENSION cl_khr_fp16 : enable\n#endif\n";
  return text + "\n" + helpers.text() + kernels;
}

} // namespace hexin::opencl
