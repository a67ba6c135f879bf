//===- Op.h - a prepared oneDNN primitive and its arguments -----------------===//
#ifndef HEXIN_BACKENDS_CPU_ONEDNN_OP_H
#define HEXIN_BACKENDS_CPU_ONEDNN_OP_H

#include "backends/cpu/onednn/Shapes.h"

#include <memory>
#include <mutex>
#include <vector>

namespace hexin::onednn {

/// The process's cpu engine.
const dnnl::engine &engine();

/// Attributes that every op sets: our own scratch memory, as oneDNN's belongs to
/// the thread that created the primitive.
dnnl::primitive_attr baseAttributes();

/// A primitive with the memory it takes. Does nothing when it has no primitive (an
/// empty result).
class Op {
public:
  /// One argument: bound to a binding at each run, or constant memory of ours.
  struct Argument {
    int id;
    dnnl::memory memory;
    int binding;                          ///< -1: constant
    std::shared_ptr<dnnl::memory> packed; ///< keeps a shared constant alive
  };

  void setPrimitive(const dnnl::primitive &primitive,
                    const dnnl::memory::desc &scratchpadDesc);
  void bind(int id, const dnnl::memory::desc &desc, int binding);
  void bindConstant(int id, std::shared_ptr<dnnl::memory> packed);

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

/// Weights in oneDNN's format: those of an earlier command with the same contents
/// (`contentHash`, 0 = unknown) and formats, or a new reorder. Thread-safe.
std::shared_ptr<dnnl::memory> packWeights(const void *plainData, uint64_t contentHash,
                                          const dnnl::memory::desc &plain,
                                          const dnnl::memory::desc &packed);

} // namespace hexin::onednn

#endif // HEXIN_BACKENDS_CPU_ONEDNN_OP_H
