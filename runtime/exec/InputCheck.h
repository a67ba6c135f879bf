//===- InputCheck.h - the caller's inputs against what the model declares ---------===//
//
// Finds each declared input by name and checks dtype, rank, fixed sizes, what a sequence,
// optional or map holds, and that equal symbols get equal sizes. Messages say what was
// expected and what came. Allocates nothing once its vectors have their size. Not
// thread-safe.
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_RUNTIME_EXEC_INPUTCHECK_H
#define HEXIN_RUNTIME_EXEC_INPUTCHECK_H

#include "runtime/artifact/ModelImpl.h"
#include "runtime/base/Dims.h"

#include "hexin/session.h"

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace hexin {

class InputCheck {
public:
  explicit InputCheck(const Model::Impl &model);

  /// After success tensors() and dims() describe `inputs`, which is borrowed.
  Status bind(const NamedValues &inputs);

  /// The same for sizes alone, per input in the model's order.
  Status bindDims(std::span<const std::vector<int64_t>> dims);

  /// Gives the input of a state its sizes and checks them like the others.
  Status bindState(uint32_t state, std::span<const int64_t> dims);

  /// The sizes a state starts with: fixed ones, those of the inputs that share a
  /// symbol, else what the artifact says, else 0. After bind() or bindDims().
  std::vector<int64_t> initialStateDims(uint32_t state) const;

  /// Per input of the header; null for states, and for what is no tensor of numbers.
  std::span<const Tensor *const> tensors() const { return tensors_; }
  /// Per input of the header; null for tensors of numbers.
  std::span<const Value *const> values() const { return values_; }
  /// Per input of the header.
  std::span<const std::vector<int64_t>> dims() const { return dims_; }

private:
  struct Axis {
    int64_t size = -1;   // -1: any
    int32_t symbol = -1; // index into symbols_
  };
  struct Symbol {
    std::string name;
    int64_t size = -1; // -1: not seen in this run
    uint32_t port = 0; // where it was seen
    uint32_t axis = 0;
  };
  void start();
  Status bindPort(uint32_t port, std::span<const int64_t> dims);
  std::string describe(uint32_t port) const;

  const Model::Impl &model_;
  std::vector<std::vector<Axis>> ports_; // per input of the header
  std::vector<Symbol> symbols_;
  std::vector<const Tensor *> tensors_;
  std::vector<const Value *> values_;
  std::vector<std::vector<int64_t>> dims_;
};

} // namespace hexin

#endif // HEXIN_RUNTIME_EXEC_INPUTCHECK_H
