#include "backends/opencl/compiler/OpenclTarget.h"
#include "backends/opencl/abi/OpenclText.h"
#include "backends/opencl/compiler/OpenclPrinter.h"
#include "compiler/codegen/LowerMath.h"
#include "compiler/codegen/SimplifyKernels.h"

#include "llvm/ADT/STLExtras.h"

using namespace mlir;

namespace hexin {
namespace {

class OpenclTarget : public Target {
public:
  explicit OpenclTarget(const TargetOptions &options) {
    CodegenTraits traits;
    traits.arch = std::string(opencl::openclImageArch);
    // A block of 6 rows x 16 floats fits the registers of AVX2 (12 of 16 hold
    // sums). Measured on PoCL with AVX-512, B packed, per thread and relative to
    // the fastest block (12x32): 4x16 half, 6x16 70 %, 8x16 85 %, 8x32 95 %; all
    // but the first two spill with AVX2.
    traits.vectorLanes = 16;
    traits.tileRows = 6;
    traits.tileVectors = 1;
    // Devices with memory on the chip take team kernels instead of those. OpenCL
    // guarantees 32 KiB; with at most half of it two teams can share a core.
    traits.team = {.threads = 256, .localBytes = 16 * 1024};
    if (options.archs.empty() || llvm::is_contained(options.archs, traits.arch))
      variants_.push_back(traits);
  }

  llvm::StringRef name() const override { return "opencl"; }
  llvm::ArrayRef<CodegenTraits> variants() const override { return variants_; }

  FailureOr<Image> emitImage(ModuleOp kernels, const CodegenTraits &traits) override {
    // Not every driver's fmod is exact for large quotients.
    if (failed(simplifyKernels(kernels)) || failed(lowerRemainder(kernels)) ||
        failed(lowerMath(kernels)))
      return failure();
    FailureOr<std::string> text = opencl::printOpenclModule(kernels);
    if (failed(text))
      return failure();
    return Image{traits.arch, std::move(*text)};
  }

private:
  std::vector<CodegenTraits> variants_;
};

} // namespace

std::unique_ptr<Target> createOpenclTarget(const TargetOptions &options) {
  return std::make_unique<OpenclTarget>(options);
}

} // namespace hexin
