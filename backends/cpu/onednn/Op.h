//===- Op.h - a prepared oneDNN primitive and its arguments -----------------===//
#ifndef HEXIN_BACKENDS_CPU_ONEDNN_OP_H
#define HEXIN_BACKENDS_CPU_ONEDNN_OP_H

#include "backends/cpu/onednn/Weights.h"

#include <memory>
#include <mutex>
#include <vector>

namespace hexin::onednn {

/// The process's cpu engine.
const dnnl::engine &engine();

/// Attributes that every op sets: our own scratch memory, as oneDNN's belongs to
/// the thread that created the primitive.
dnnl::primitive_attr baseAttributes();

/// Refuses what oneDNN has as reference code only: our kernels are faster.
template <typename PrimitiveDesc> void refuseReferenceCode(const PrimitiveDesc &pd) {
  std::string implementation = pd.impl_info_str();
  if (implementation.find("ref") != std::string::npos)
    throwUnsupported("oneDNN has it only as reference code (" + implementation + ")");
}

/// Where an op keeps its weights, and what it did about them.
struct PrepareContext {
  std::string cacheFolder; ///< "" = none
  WeightCounts counts;
};

/// A primitive with the memory it takes. Does nothing when it has no primitive (an
/// empty result).
class Op {
public:
  /// One argument: bound to a binding at each run, or constant memory of ours.
  struct Argument {
    int id;
    dnnl::memory memory;
    int binding;                           ///< -1: constant
    std::shared_ptr<PackedWeights> packed; ///< keeps a shared constant alive
  };

  void setPrimitive(const dnnl::primitive &primitive,
                    const dnnl::memory::desc &scratchpadDesc);
  void bind(int id, const dnnl::memory::desc &desc, int binding);
  void bindConstant(int id, std::shared_ptr<PackedWeights> packed);

  /// bindings[i]: memory of the i-th binding. Runs on one thread at a time; other
  /// callers wait.
  void execute(void *const *bindings);

private:
  std::mutex mutex;
  dnnl::primitive primitive;
  std::vector<Argument> arguments;
  std::vector<dnnl_exec_arg_t> rawArguments;
  std::vector<int> boundTo; ///< per raw argument; -1: constant
  dnnl::memory scratchpad;
  size_t scratchpadBytes = 0;
};

} // namespace hexin::onednn

#endif // HEXIN_BACKENDS_CPU_ONEDNN_OP_H
