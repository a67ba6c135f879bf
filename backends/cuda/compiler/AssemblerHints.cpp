#include "backends/cuda/compiler/AssemblerHints.h"

#include "backends/cuda/abi/PtxText.h"

#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

#include <algorithm>

using namespace mlir;

namespace hexin::cuda {
namespace {

/// What every GPU runs at a time on a core.
constexpr int32_t maxCoreBlocks = 16;

bool sharesMuchMemory(const KernelForm &form) {
  constexpr unsigned muchMemory = 4 << 10;
  return form.teamThreads > 0 && form.localBytes >= muchMemory;
}

/// Products by teams, whose slices are fetched ahead.
bool isProduct(func::FuncOp kernel) {
  return kernel.walk([](NVVM::CpAsyncWaitGroupOp) { return WalkResult::interrupt(); })
      .wasInterrupted();
}

/// Scalar operations of a round of `loop`, of loops in it those of one round.
unsigned workOf(scf::ForOp loop) {
  unsigned work = 0;
  loop.getBody()->walk([&](Operation *op) {
    if (op->getNumResults() == 0)
      return;
    auto type = dyn_cast<VectorType>(op->getResult(0).getType());
    work += type ? type.getNumElements() : 1;
  });
  return work;
}

constexpr StringLiteral loopAnnotation = "llvm.loop_annotation";

void annotate(scf::ForOp loop, LLVM::LoopUnrollAttr unroll, LLVM::LoopLICMAttr hoist) {
  loop->setAttr(loopAnnotation,
                LLVM::LoopAnnotationAttr::get(loop.getContext(), {}, {}, {}, unroll, {},
                                              hoist, {}, {}, {}, {}, {}, {}, {}, {}, {}));
}

/// Long loops hold register tiles already: assemblers that unroll them spill.
void keepLongLoops(func::FuncOp kernel, unsigned muchWork) {
  auto yes = BoolAttr::get(kernel.getContext(), true);
  auto unroll = LLVM::LoopUnrollAttr::get(kernel.getContext(), /*disable=*/yes, {}, {},
                                          {}, {}, {}, {});
  kernel.walk([&](scf::ForOp loop) {
    if (workOf(loop) >= muchWork)
      annotate(loop, unroll, {});
  });
}

/// Teams of products run few items each. What depends on the thread only is computed for
/// each, as it would take registers throughout all sums.
void keepInItems(const KernelForm &form) {
  auto yes = BoolAttr::get(form.items->getContext(), true);
  annotate(form.items, {},
           LLVM::LoopLICMAttr::get(yes.getContext(), /*disable=*/yes, {}));
}

} // namespace

void keepLoops(func::FuncOp kernel, const KernelForm &form) {
  if (form.teamThreads == 0)
    keepLongLoops(kernel, /*muchWork=*/24);
  if (form.items && isProduct(kernel)) {
    keepLongLoops(kernel, /*muchWork=*/128);
    keepInItems(form);
  }
}

void annotateBranches(ModuleOp module) {
  module.walk([](LLVM::BrOp branch) {
    auto annotation = branch->removeDiscardableAttr(loopAnnotation);
    if (auto known = dyn_cast_or_null<LLVM::LoopAnnotationAttr>(annotation))
      branch.setLoopAnnotationAttr(known);
  });
}

int32_t wantedBlocks(const KernelForm &form) {
  constexpr unsigned coreRegisters = 64 * 1024, longWork = 200;
  if (form.teamThreads == 0)
    return 1;
  bool hasMuchMemory = sharesMuchMemory(form);
  if (!hasMuchMemory && form.items && workOf(form.items) >= longWork)
    return 0;
  unsigned registers = hasMuchMemory ? 128 : 64;
  return std::clamp<int32_t>(coreRegisters / (registers * form.teamThreads), 1,
                             maxCoreBlocks);
}

void markAsEntry(LLVM::LLVMFuncOp entry, const KernelForm &form, int32_t blocks) {
  Builder b(entry.getContext());
  entry->setAttr(NVVM::NVVMDialect::getKernelFuncAttrName(), b.getUnitAttr());
  if (form.teamThreads > 0)
    entry->setAttr(NVVM::NVVMDialect::getReqntidAttrName(),
                   b.getDenseI32ArrayAttr({int32_t(form.teamThreads)}));
  else
    entry->setAttr(NVVM::NVVMDialect::getMaxntidAttrName(),
                   b.getDenseI32ArrayAttr({maxItemThreads}));
  if (blocks > 0)
    entry->setAttr(NVVM::NVVMDialect::getMinctasmAttrName(), b.getI32IntegerAttr(blocks));
  // Items are independent, so no write of one may be a read of another.
  for (unsigned i = 0; i < form.numBindings; ++i)
    entry.setArgAttr(i, LLVM::LLVMDialect::getNoAliasAttrName(), b.getUnitAttr());
}

} // namespace hexin::cuda
