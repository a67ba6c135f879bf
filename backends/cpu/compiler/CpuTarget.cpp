#include "backends/cpu/compiler/CpuTarget.h"

#include "backends/cpu/abi/ImageCheck.h"
#include "backends/cpu/compiler/EmitObject.h"
#include "backends/cpu/compiler/LinkImage.h"
#include "backends/cpu/compiler/OneDnnCall.h"
#include "compiler/codegen/SimplifyKernels.h"
#include "compiler/target/CompileKernels.h"

#include "mlir/IR/Diagnostics.h"

using namespace mlir;

namespace hexin {
namespace {

using namespace cpu;

// The register tiles use all accumulators that the arch has names for: 8 x 2 of 32
// zmm, 6 x 2 of 16 ymm, 4 x 2 of 16 xmm (no fused multiply-add: temporaries).
std::vector<CodegenTraits> levels() {
  std::vector<CodegenTraits> variants(3);
  variants[0].arch = "x86-64-v4";
  variants[0].vectorLanes = 16;
  variants[0].tileRows = 8;
  variants[0].vectorRegisters = 32;
  variants[0].pitchedRows = 12;
  variants[0].slowDivision = true;
  variants[1].arch = "x86-64-v3";
  variants[1].vectorLanes = 8;
  variants[1].tileRows = 6;
  variants[1].pitchedRows = 6;
  variants[1].slowDivision = true;
  variants[2].arch = "x86-64-v2";
  variants[2].vectorLanes = 4;
  variants[2].tileRows = 4;
  variants[2].pitchedRows = 4;
  for (CodegenTraits &traits : variants) {
    traits.tileVectors = 2;
    traits.depthSteps =
        traits.vectorLanes >= 8 ? 4 : 1; // few machines are v2: small code
    traits.longVectors = true;
    traits.workspaces = true;
    traits.flatMemory = true;
    traits.prefetches = true;
    traits.wordDots = WordDots::pairs;
    traits.bfloatDots = BfloatDots::widened;
  }
  return variants;
}

std::vector<CodegenTraits> allVariants() {
  std::vector<CodegenTraits> variants = levels();
  CodegenTraits vnni = variants.front();
  vnni.extends = vnni.arch;
  vnni.arch += "+avx512vnni";
  vnni.wordDots = WordDots::quads;
  CodegenTraits amx = vnni;
  amx.arch += "+amx-int8";
  amx.wordDots = WordDots::tiles;
  CodegenTraits bf16 = variants.front();
  bf16.extends = bf16.arch;
  bf16.arch += "+avx512bf16";
  bf16.bfloatDots = BfloatDots::pairs;
  CodegenTraits tiles = bf16;
  tiles.arch += "+amx-bf16";
  tiles.bfloatDots = BfloatDots::tiles;
  variants.insert(variants.begin(),
                  {std::move(amx), std::move(vnni), std::move(tiles), std::move(bf16)});
  return variants;
}

/// A level is asked for with what extends it, and what extends one with that level.
bool isAsked(const CodegenTraits &traits, ArrayRef<std::string> archs) {
  return llvm::any_of(archs, [&](StringRef arch) {
    return arch == traits.arch || arch == traits.extends ||
           (traits.extends.empty() && arch.starts_with(traits.arch + "+"));
  });
}

constexpr llvm::StringLiteral oneDnnName = "onednn";

FailureOr<std::string> compileKernel(ModuleOp module, StringRef arch) {
  SmallVector<KernelInfo> infos;
  if (failed(simplifyKernels(module)) || failed(lowerToLLVM(module, arch, infos)))
    return failure();
  auto object = emitObject(module, arch, infos);
  if (failed(object))
    return failure();
  return object->str().str();
}

class CpuTarget : public Target {
public:
  explicit CpuTarget(const TargetOptions &options)
      : cache(options.cache), threads(options.threads) {
    for (CodegenTraits &traits : allVariants())
      if (options.archs.empty() || isAsked(traits, options.archs))
        kept.push_back(std::move(traits));
    if (llvm::is_contained(options.disabled, oneDnnName))
      oneDnnUse = LibraryUse::never;
    else if (llvm::is_contained(options.preferred, oneDnnName))
      oneDnnUse = LibraryUse::wherePossible;
  }

  llvm::StringRef name() const override { return "cpu"; }

  llvm::ArrayRef<CodegenTraits> variants() const override { return kept; }

  FailureOr<Image> emitImage(ModuleOp kernels, const CodegenTraits &traits) override {
    KernelCompiler compiler{
        name(), traits.arch, loadKernelDialects,
        [&](ModuleOp kernel) { return compileKernel(kernel, traits.arch); }};
    auto compiled = compileKernels(kernels, compiler, cache, threads);
    if (failed(compiled))
      return failure();
    FailureOr<std::string> support = emitSupportObject(kernels.getLoc(), traits.arch);
    if (failed(support))
      return failure();
    compiled->codes.push_back(std::move(*support));
    std::string error;
    auto linked = linkImage(compiled->codes, error);
    if (!linked)
      return kernels.emitError("linking the ")
             << traits.arch << " image failed: " << error;
    auto layout = checkImage(
        {reinterpret_cast<const uint8_t *>(linked->data()), linked->size()}, error);
    if (!layout)
      return kernels.emitError("the ")
             << traits.arch << " image is not loadable: " << error;
    // Behind the last segment the linker writes what is for debuggers.
    const ImageSegment &last = layout->segments().back();
    linked->resize(last.fileOffset + last.byteLength);
    return Image{traits.arch, std::move(*linked), compiled->reused, /*isMapped=*/true};
  }

  llvm::ArrayRef<llvm::StringRef> libraries() const override {
    static const llvm::StringRef names[] = {oneDnnName};
    return names;
  }

  std::optional<LibraryCall> libraryCall(hx::GroupOp group, hx::SymbolicShapes &shapes,
                                         std::string &reason) override {
    std::string why;
    std::optional<LibraryCall> call = oneDnnCall(group, shapes, oneDnnUse, why);
    if (!why.empty())
      reason = (oneDnnName + ": " + why).str();
    return call;
  }

private:
  std::vector<CodegenTraits> kept;
  LibraryUse oneDnnUse = LibraryUse::whereFaster;
  const KernelCache *cache;
  unsigned threads;
};

} // namespace

std::unique_ptr<Target> createCpuTarget(const TargetOptions &options) {
  return std::make_unique<CpuTarget>(options);
}

} // namespace hexin
