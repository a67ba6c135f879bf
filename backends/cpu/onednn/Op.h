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
  void setPrimitive(const dnnl::primitive &primitive,
                    const dnnl::memory::desc &scratchpadDesc);
  void bind(int id, const dnnl::memory::desc &desc, int binding);
  void bindConstant(int id, std::shared_ptr<PackedWeights> packed);
  /// After the last of these: makes what the first run needs.
  void finish();

  /// bindings[i]: memory of the i-th binding. May run on several threads at once.
  void execute(void *const *bindings);

private:
  /// One argument: bound to a binding at each run, or constant memory of ours.
  struct Argument {
    int id;
    dnnl::memory::desc desc;
    int binding;                           ///< -1: constant
    std::shared_ptr<PackedWeights> packed; ///< keeps a shared constant alive
  };
  /// What one thread hands to the primitive.
  struct Call {
    std::vector<dnnl::memory> memories;
    std::vector<dnnl_exec_arg_t> arguments;
    dnnl::memory scratchpad;
  };
  std::unique_ptr<Call> makeCall() const;
  std::unique_ptr<Call> takeCall();
  void giveCall(std::unique_ptr<Call> call);
  void run(Call &call, void *const *bindings) const;

  dnnl::primitive primitive;
  std::vector<Argument> arguments;
  dnnl::memory::desc scratchpad;
  size_t scratchpadBytes = 0;

  std::mutex mutex;                        // guards what is below
  std::vector<std::unique_ptr<Call>> idle; ///< as many as ran at once
};

} // namespace hexin::onednn

#endif // HEXIN_BACKENDS_CPU_ONEDNN_OP_H
