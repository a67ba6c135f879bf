//===- TemplateTarget.cpp - the compile half of a new backend ----------------===//
//
// The shared codegen writes kernels as scf + arith + math + memref + vector (the
// exact form stands in compiler/codegen/KernelModule.h). A target describes the machine
// they are written for and turns them into bytes its devices load.
//
//===----------------------------------------------------------------------===//
#include "backends/template/compiler/TemplateTarget.h"
#include "backends/template/abi/TemplateImage.h"
#include "compiler/codegen/LowerMath.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir;

namespace hexin {
namespace {

class TemplateTarget : public Target {
public:
  explicit TemplateTarget(const TargetOptions &options) {
    // One entry per kind of code worth shipping, best first. An artifact then
    // holds all kernels once per entry, so fewer is smaller.
    CodegenTraits traits;
    traits.arch = templ::imageArch;
    // How wide a vector op may be (f32 lanes; 1: your language has no vectors).
    traits.vectorLanes = 4;
    // The block of a matmul that one work item keeps in registers. Count your
    // registers: rows x vectors sums, plus a row of B and one value of A.
    traits.tileRows = 4;
    traits.tileVectors = 2;
    // True for GPUs: neighbouring items touch neighbouring elements, so that
    // accesses coalesce; false where an item runs along memory by itself.
    traits.itemPerElement = false;
    // True only for on-chip memory that is faster than the cache.
    traits.team.threads = 0;
    if (options.archs.empty() || llvm::is_contained(options.archs, traits.arch))
      variants_.push_back(std::move(traits));
  }

  // The word users write after --targets= and in front of ":0"; equal to
  // hexin_device_api::backend of the run half.
  llvm::StringRef name() const override { return "template"; }

  llvm::ArrayRef<CodegenTraits> variants() const override { return variants_; }

  // Called with all new kernels of a compile at once: one image per entry of
  // variants(). The module is yours to change. Deterministic: equal modules give
  // equal bytes, as images are found again by the hash of their kernels.
  FailureOr<Image> emitImage(ModuleOp kernels, const CodegenTraits &traits) override {
    // exp, tanh, erf, ... become arithmetic. A target with good functions of its
    // own lowers those first. (lowerRemainder does the same for fmod.)
    if (failed(lowerMath(kernels)))
      return failure();
    // Now print or translate each func.func; its arguments are laid out as
    // runtime/device/KernelAbi.h says. What you cannot take is diagnosed at its
    // op, saying what is expected instead: the message reaches the user.
    for (auto kernel : kernels.getOps<func::FuncOp>()) {
      kernel.emitOpError("cannot be emitted: the template backend is a skeleton; see "
                         "backends/template/README.md");
      return failure();
    }
    return Image{traits.arch, std::string()};
  }

  // Also overridden by a target with a library, and not here: libraries() names it
  // for --prefer and --disable; libraryCall() answers a group with the call that goes
  // before our kernel (compiler/target/LibraryCall.h), or says why there is none. The
  // run half's `prepare` then gets it, and may still refuse: our kernel runs.
  // backends/cpu/compiler/OneDnnCall.cpp is one.

private:
  std::vector<CodegenTraits> variants_;
};

} // namespace

std::unique_ptr<Target> createTemplateTarget(const TargetOptions &options) {
  return std::make_unique<TemplateTarget>(options);
}

} // namespace hexin
