#include "backends/cpu/compiler/EmitObject.h"

#include "backends/cpu/compiler/EntryPoints.h"

#include "mlir/IR/Diagnostics.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "llvm/Analysis/TargetLibraryInfo.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/IntrinsicInst.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Module.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Object/ELFObjectFile.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Target/TargetMachine.h"

#include <mutex>

using namespace mlir;

namespace hexin::cpu {
namespace {

/// `arch`: a level, or with features as in "x86-64-v4+avx512vnni+amx-int8".
std::unique_ptr<llvm::TargetMachine> createTargetMachine(StringRef arch) {
  static std::once_flag once;
  std::call_once(once, [] {
    LLVMInitializeX86TargetInfo();
    LLVMInitializeX86Target();
    LLVMInitializeX86TargetMC();
    LLVMInitializeX86AsmPrinter();
  });
  llvm::Triple triple("x86_64-unknown-linux-gnu");
  std::string error;
  const llvm::Target *target = llvm::TargetRegistry::lookupTarget(triple, error);
  if (!target)
    return nullptr;
  llvm::TargetOptions options;
  options.AllowFPOpFusion = llvm::FPOpFusion::Standard;
  // A section per function: unused ones go, and a call names its kernel.
  options.FunctionSections = true;
  options.DataSections = true;
  auto [level, more] = arch.split('+');
  std::string features = more.empty() ? "" : "+" + more.str();
  for (size_t at = 1; (at = features.find('+', at)) != std::string::npos; at += 2)
    features.insert(at, ",");
  return std::unique_ptr<llvm::TargetMachine>(target->createTargetMachine(
      triple, level, features, options, llvm::Reloc::PIC_, llvm::CodeModel::Small,
      llvm::CodeGenOptLevel::Aggressive));
}

/// Without the instruction, fma may round twice: those that may not are gone
/// (ExactFma.h), and LLVM would call fmaf for the others.
void splitFma(llvm::Module &module) {
  SmallVector<llvm::IntrinsicInst *> calls;
  for (llvm::Function &function : module)
    for (llvm::Instruction &inst : llvm::instructions(function))
      if (auto *call = dyn_cast<llvm::IntrinsicInst>(&inst))
        if (call->getIntrinsicID() == llvm::Intrinsic::fma)
          calls.push_back(call);
  for (llvm::IntrinsicInst *call : calls) {
    llvm::IRBuilder<> b(call);
    llvm::Value *product = b.CreateFMul(call->getArgOperand(0), call->getArgOperand(1));
    call->replaceAllUsesWith(b.CreateFAdd(product, call->getArgOperand(2)));
    call->eraseFromParent();
  }
}

struct Loads {
  size_t scalars = 0, vectors = 0;
};

/// Loads of elements in the code of `module`; params are integers.
Loads countLoads(const llvm::Module &module) {
  Loads loads;
  for (const llvm::Function &function : module)
    for (const llvm::Instruction &inst : llvm::instructions(function))
      if (auto *load = dyn_cast<llvm::LoadInst>(&inst)) {
        loads.vectors += load->getType()->isVectorTy();
        loads.scalars += load->getType()->isFloatingPointTy();
      }
  return loads;
}

/// The loops of a kernel that is written in vectors hold a register tile already:
/// unrolling them costs a third of the code and of the compile time, and no model
/// gets faster. Joining scalars into vectors (SLP) makes kernels that read scalars,
/// as products and convolutions do, up to 25 % faster; where rows are read as vectors
/// it joins their addresses, and a depthwise convolution takes 40 % longer.
llvm::PipelineTuningOptions tuningFor(const llvm::Module &module) {
  Loads loads = countLoads(module);
  llvm::PipelineTuningOptions tuning;
  tuning.LoopUnrolling = loads.vectors == 0;
  tuning.SLPVectorization = loads.scalars > loads.vectors;
  return tuning;
}

void optimize(llvm::Module &module, llvm::TargetMachine &machine,
              const llvm::TargetLibraryInfoImpl &noLibrary) {
  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager callGraph;
  llvm::ModuleAnalysisManager modules;
  llvm::PassBuilder builder(&machine, tuningFor(module));
  functions.registerPass([&] { return llvm::TargetLibraryAnalysis(noLibrary); });
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(callGraph);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, callGraph, modules);
  builder.buildPerModuleDefaultPipeline(llvm::OptimizationLevel::O2).run(module, modules);
}

bool generateCode(llvm::Module &module, llvm::TargetMachine &machine,
                  const llvm::TargetLibraryInfoImpl &noLibrary,
                  llvm::SmallString<0> &object) {
  llvm::raw_svector_ostream stream(object);
  llvm::legacy::PassManager passes;
  passes.add(new llvm::TargetLibraryInfoWrapperPass(noLibrary));
  if (machine.addPassesToEmitFile(passes, stream, nullptr,
                                  llvm::CodeGenFileType::ObjectFile))
    return false;
  passes.run(module);
  return true;
}

bool compile(llvm::Module &module, llvm::TargetMachine &machine,
             llvm::SmallString<0> &object) {
  module.setDataLayout(machine.createDataLayout());
  module.setTargetTriple(machine.getTargetTriple());
  // No call may be replaced by, or taken for, one of the C library.
  llvm::TargetLibraryInfoImpl noLibrary(machine.getTargetTriple());
  noLibrary.disableAllFunctions();
  optimize(module, machine, noLibrary);
  return generateCode(module, machine, noLibrary, object);
}

/// The location of the kernel whose section is called `section`, or of the module.
Location locationOf(StringRef section, ModuleOp module, ArrayRef<KernelInfo> kernels) {
  section.consume_front(".text.");
  for (const KernelInfo &kernel : kernels)
    if (section == kernel.name)
      return kernel.location;
  return module.getLoc();
}

/// Diagnoses references to what the object does not define.
LogicalResult checkSelfContained(StringRef object, ModuleOp module,
                                 ArrayRef<KernelInfo> kernels) {
  auto file = llvm::object::ObjectFile::createELFObjectFile(
      llvm::MemoryBufferRef(object, "kernels.o"));
  if (!file)
    return module.emitError("LLVM wrote an unreadable object: ")
           << llvm::toString(file.takeError());
  for (const llvm::object::SectionRef &section : (*file)->sections()) {
    auto target = section.getRelocatedSection();
    if (!target || *target == (*file)->section_end()) {
      llvm::consumeError(target.takeError());
      continue;
    }
    StringRef sectionName = llvm::cantFail((*target)->getName());
    for (const llvm::object::RelocationRef &relocation : section.relocations()) {
      auto symbol = relocation.getSymbol();
      if (symbol == (*file)->symbol_end())
        continue;
      auto flags = symbol->getFlags();
      auto name = symbol->getName();
      if (!flags || !name) {
        llvm::consumeError(flags.takeError());
        llvm::consumeError(name.takeError());
        continue;
      }
      if ((*flags & llvm::object::SymbolRef::SF_Undefined) && !isSupportFunction(*name))
        return emitError(locationOf(sectionName, module, kernels))
               << "LLVM calls the library function '" << *name
               << "' for an operation of this kernel; images have no libraries, so the "
                  "operation needs a lowering of ours";
    }
  }
  return success();
}

} // namespace

FailureOr<llvm::SmallString<0>> emitObject(ModuleOp module, StringRef arch,
                                           ArrayRef<KernelInfo> kernels) {
  auto machine = createTargetMachine(arch);
  if (!machine)
    return module.emitError("this LLVM cannot write code for x86-64");
  registerBuiltinDialectTranslation(*module.getContext());
  registerLLVMDialectTranslation(*module.getContext());
  llvm::LLVMContext context;
  auto ir = translateModuleToLLVMIR(module, context, "hexin kernels");
  if (!ir)
    return failure();
  if (arch == "x86-64-v2")
    splitFma(*ir);
  if (failed(addEntryPoints(*ir, kernels)))
    return module.emitError("a kernel of this module was not translated");

  llvm::SmallString<0> object;
  if (!compile(*ir, *machine, object))
    return module.emitError("this LLVM cannot write ELF objects");
  if (failed(checkSelfContained(object, module, kernels)))
    return failure();
  return object;
}

FailureOr<std::string> emitSupportObject(Location location, StringRef arch) {
  auto machine = createTargetMachine(arch);
  llvm::LLVMContext context;
  llvm::Module module("support", context);
  addSupport(module);
  llvm::SmallString<0> object;
  if (!machine || !compile(module, *machine, object))
    return emitError(location, "this LLVM cannot write ELF objects for x86-64");
  return object.str().str();
}

} // namespace hexin::cpu
