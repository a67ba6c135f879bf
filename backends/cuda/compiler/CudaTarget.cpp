#include "backends/cuda/compiler/CudaTarget.h"

#include "backends/cuda/abi/PtxText.h"
#include "backends/cuda/compiler/CublasLtCall.h"
#include "backends/cuda/compiler/EmitPtx.h"
#include "backends/cuda/compiler/LowerToNvvm.h"
#include "compiler/codegen/SimplifyKernels.h"
#include "compiler/target/CompileKernels.h"

#include "llvm/ADT/STLExtras.h"

using namespace mlir;

namespace hexin {
namespace {

using namespace cuda;

CodegenTraits baseline() {
  CodegenTraits traits;
  traits.arch = std::string(ptxBaselineArch);
  traits.itemPerElement = true;
  traits.vectorLanes = 4; // 128 bits, the widest access of a thread
  traits.alignedVectors = true;
  traits.warpThreads = warpThreads;
  // 4 x 8 sums of a thread leave registers for two blocks of 256 threads and more.
  traits.tileRows = 4;
  traits.tileVectors = 2;
  traits.registerSums = 32;
  // What every GPU gives a block without being asked.
  traits.team = {.threads = 256,
                 .localBytes = 48 * 1024,
                 .sums = 64,
                 .stages = 3,
                 .asyncCopies = true,
                 .halfMatrices = true};
  return traits;
}

constexpr llvm::StringLiteral cublasLtName = "cublaslt";

FailureOr<std::string> compileKernel(ModuleOp module, StringRef arch) {
  if (failed(simplifyKernels(module)) || failed(lowerToNvvm(module)))
    return failure();
  return emitPtx(module, arch);
}

class CudaTarget : public Target {
public:
  explicit CudaTarget(const TargetOptions &options)
      : cache(options.cache), threads(options.threads),
        prefersCublasLt(llvm::is_contained(options.preferred, cublasLtName)) {
    CodegenTraits traits = baseline();
    if (options.archs.empty() || llvm::is_contained(options.archs, traits.arch))
      kept.push_back(std::move(traits));
  }

  llvm::StringRef name() const override { return "cuda"; }
  llvm::ArrayRef<CodegenTraits> variants() const override { return kept; }

  FailureOr<Image> emitImage(ModuleOp kernels, const CodegenTraits &traits) override {
    if (!isPtxArch(traits.arch))
      return kernels.emitError("no PTX is written for the arch '") << traits.arch << "'";
    KernelCompiler compiler{
        name(), traits.arch, loadKernelDialects,
        [&](ModuleOp kernel) { return compileKernel(kernel, traits.arch); }};
    auto compiled = compileKernels(kernels, compiler, cache, threads);
    if (failed(compiled))
      return failure();
    Image image{traits.arch, ptxHead(traits.arch), compiled->reused};
    for (const std::string &text : compiled->codes)
      image.bytes += "\n" + text;
    return image;
  }

  llvm::ArrayRef<llvm::StringRef> libraries() const override {
    static const llvm::StringRef names[] = {cublasLtName};
    return names;
  }

  // Nobody has measured yet where it is faster than our kernels: it goes first where an
  // option says so, and nowhere else.
  std::optional<LibraryCall> libraryCall(hx::GroupOp group, hx::SymbolicShapes &shapes,
                                         std::string &reason) override {
    std::string why;
    std::optional<LibraryCall> call;
    if (prefersCublasLt)
      call = cublasLtCall(group, shapes, why);
    else if (productOf(group))
      why = "taken only where an option prefers it";
    if (!why.empty())
      reason = (cublasLtName + ": " + why).str();
    return call;
  }

private:
  std::vector<CodegenTraits> kept;
  const KernelCache *cache;
  unsigned threads;
  bool prefersCublasLt;
};

} // namespace

std::unique_ptr<Target> createCudaTarget(const TargetOptions &options) {
  return std::make_unique<CudaTarget>(options);
}

} // namespace hexin
