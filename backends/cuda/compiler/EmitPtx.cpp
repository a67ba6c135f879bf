#include "backends/cuda/compiler/EmitPtx.h"

#include "backends/cuda/abi/PtxText.h"
#include "backends/cuda/compiler/Selectable.h"

#include "mlir/IR/Diagnostics.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/NVVM/NVVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "llvm/Analysis/TargetLibraryInfo.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Module.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/Transforms/Scalar/Scalarizer.h"

#include <mutex>

using namespace mlir;

namespace hexin::cuda {
namespace {

/// An arch, the PTX version that its text is written in (drivers must be as new) and
/// the head of an image.
struct PtxArch {
  StringRef name, target, features, head;
};

constexpr PtxArch ptxArchs[] = {
    {"ptx-sm_80", "sm_80", "+ptx80", ".version 8.0\n.target sm_80\n.address_size 64\n"},
};

const PtxArch *findArch(StringRef name) {
  const PtxArch *arch =
      llvm::find_if(ptxArchs, [&](const PtxArch &each) { return each.name == name; });
  return arch == std::end(ptxArchs) ? nullptr : arch;
}

std::unique_ptr<llvm::TargetMachine> createTargetMachine(const PtxArch &arch) {
  static std::once_flag once;
  std::call_once(once, [] {
    LLVMInitializeNVPTXTargetInfo();
    LLVMInitializeNVPTXTarget();
    LLVMInitializeNVPTXTargetMC();
    LLVMInitializeNVPTXAsmPrinter();
  });
  llvm::Triple triple("nvptx64-nvidia-cuda");
  std::string error;
  const llvm::Target *target = llvm::TargetRegistry::lookupTarget(triple, error);
  if (!target)
    return nullptr;
  llvm::TargetOptions options;
  options.AllowFPOpFusion = llvm::FPOpFusion::Standard;
  options.MCOptions.AsmVerbose = false;
  return std::unique_ptr<llvm::TargetMachine>(target->createTargetMachine(
      triple, arch.target, arch.features, options, std::nullopt, std::nullopt,
      llvm::CodeGenOptLevel::Aggressive));
}

/// Arithmetic in scalars, which is what the machine has; loads and stores stay vectors.
void takeVectorsApart(llvm::FunctionPassManager &passes) {
  llvm::ScalarizerPassOptions options;
  options.ScalarizeLoadStore = false;
  passes.addPass(llvm::ScalarizerPass(options));
}

void optimize(llvm::Module &module, llvm::TargetMachine &machine,
              const llvm::TargetLibraryInfoImpl &noLibrary) {
  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager callGraph;
  llvm::ModuleAnalysisManager modules;
  llvm::PipelineTuningOptions tuning;
  // Loops hold register tiles already; unrolled, some spill.
  tuning.LoopVectorization = tuning.SLPVectorization = tuning.LoopUnrolling = false;
  llvm::PassBuilder builder(&machine, tuning);
  functions.registerPass([&] { return llvm::TargetLibraryAnalysis(noLibrary); });
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(callGraph);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, callGraph, modules);
  llvm::FunctionPassManager apart;
  takeVectorsApart(apart);
  llvm::ModulePassManager passes;
  passes.addPass(llvm::createModuleToFunctionPassAdaptor(std::move(apart)));
  passes.addPass(builder.buildPerModuleDefaultPipeline(llvm::OptimizationLevel::O2));
  passes.run(module, modules);
}

bool generateCode(llvm::Module &module, llvm::TargetMachine &machine,
                  const llvm::TargetLibraryInfoImpl &noLibrary,
                  llvm::SmallString<0> &text) {
  llvm::raw_svector_ostream stream(text);
  llvm::legacy::PassManager passes;
  passes.add(new llvm::TargetLibraryInfoWrapperPass(noLibrary));
  if (machine.addPassesToEmitFile(passes, stream, nullptr,
                                  llvm::CodeGenFileType::AssemblyFile))
    return false;
  passes.run(module);
  return true;
}

/// The name of a function that `text` calls and does not have; "" when there is none.
StringRef findExternal(StringRef text) {
  constexpr StringRef mark = ".extern .func";
  size_t at = text.find(mark);
  if (at == StringRef::npos)
    return "";
  StringRef rest = text.drop_front(at + mark.size()).ltrim();
  if (rest.consume_front("(")) // what it returns
    rest = rest.drop_front(std::min(rest.find(')') + 1, rest.size())).ltrim();
  return rest.take_until([](char c) { return c == '(' || c == '\n'; }).rtrim();
}

} // namespace

bool isPtxArch(StringRef arch) { return findArch(arch); }

std::string ptxHead(StringRef arch) {
  const PtxArch *known = findArch(arch);
  return known ? known->head.str() : "";
}

std::string emitPtx(llvm::Module &module, StringRef arch, std::string &error) {
  const PtxArch *known = findArch(arch);
  auto machine = known ? createTargetMachine(*known) : nullptr;
  if (!machine) {
    error = "this LLVM cannot write code for " + arch.str();
    return "";
  }
  module.setDataLayout(machine->createDataLayout());
  module.setTargetTriple(machine->getTargetTriple());
  // No call may be replaced by, or taken for, one of the C library.
  llvm::TargetLibraryInfoImpl noLibrary(machine->getTargetTriple());
  noLibrary.disableAllFunctions();
  optimize(module, *machine, noLibrary);
  if (auto unknown = findUnselectable(module)) {
    error = "LLVM is not known to translate '" + *unknown +
            "' to PTX; the operation needs a lowering of ours";
    return "";
  }
  llvm::SmallString<0> text;
  if (!generateCode(module, *machine, noLibrary, text)) {
    error = "this LLVM cannot write PTX";
    return "";
  }
  if (StringRef name = findExternal(text); !name.empty()) {
    error = "LLVM calls the library function '" + name.str() +
            "' for an operation of this kernel; images have no libraries, so the "
            "operation needs a lowering of ours";
    return "";
  }
  size_t head = StringRef(text).find(known->head);
  if (head == StringRef::npos) {
    error = "LLVM wrote PTX without the expected head '" + known->head.str() + "'";
    return "";
  }
  return StringRef(text).drop_front(head + known->head.size()).trim('\n').str() + "\n";
}

FailureOr<std::string> emitPtx(ModuleOp module, StringRef arch) {
  registerBuiltinDialectTranslation(*module.getContext());
  registerLLVMDialectTranslation(*module.getContext());
  registerNVVMDialectTranslation(*module.getContext());
  llvm::LLVMContext context;
  auto ir = translateModuleToLLVMIR(module, context, "hexin kernels");
  if (!ir)
    return failure();
  std::string error;
  std::string text = emitPtx(*ir, arch, error);
  if (text.empty())
    return module.emitError(error);
  return text;
}

} // namespace hexin::cuda
