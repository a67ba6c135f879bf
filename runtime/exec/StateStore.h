//===- StateStore.h - what a session remembers between runs -------------------------===//
//
// Each state has two halves in the session's memory: the one a run reads, and the
// one it writes, which are exchanged when the run has succeeded, so that a failed
// run changes nothing. (A program that writes a state in place gives that up.)
// Canonical form (get, set, export, import) is row-major on the host.
//
// The blob of exportState, little endian: "HXST", u32 version 1, u32 count, then
// per state: u32 name length, name, u32 dtype, u32 rank, i64 sizes, contents.
//
// Not thread-safe: a session uses it inside its turn.
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_RUNTIME_EXEC_STATESTORE_H
#define HEXIN_RUNTIME_EXEC_STATESTORE_H

#include "runtime/artifact/ModelImpl.h"
#include "runtime/exec/SessionMemory.h"

#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace hexin {

class StateStore {
public:
  /// Model and memory are borrowed. `seed`: what random states begin with.
  StateStore(const Model::Impl &model, SessionMemory &memory, uint64_t seed)
      : model_(model), memory_(memory), seed_(seed), states_(model.states.size()) {}

  uint32_t size() const { return static_cast<uint32_t>(states_.size()); }
  /// Whether the state has sizes: not before the first run, nor after reset().
  bool isSet(uint32_t state) const { return states_[state].isSet; }
  std::span<const int64_t> dims(uint32_t state) const { return states_[state].dims; }

  /// Gives a state these sizes, and what it begins with.
  Status initialise(uint32_t state, std::span<const int64_t> dims);

  /// A run has written `state`: into its next half (which becomes the current
  /// one) or in place.
  void advance(uint32_t state, std::span<const int64_t> dims, bool isInPlace);

  Result<Tensor> get(const std::string &name);
  Status set(const std::string &name, const Tensor &value);
  void reset(uint32_t state);
  void reset();
  Result<std::vector<std::byte>> exportAll();
  Status importAll(std::span<const std::byte> blob);

private:
  struct State {
    bool isSet = false;
    std::vector<int64_t> dims;
  };
  Result<uint32_t> find(const std::string &name) const;
  Result<Tensor> read(uint32_t state);
  Result<Tensor> initialValue(uint32_t state, std::span<const int64_t> dims) const;
  Status check(uint32_t state, DType dtype, std::span<const int64_t> dims) const;
  Status write(uint32_t state, std::span<const int64_t> dims, const void *data,
               uint64_t bytes);

  const Model::Impl &model_;
  SessionMemory &memory_;
  uint64_t seed_;
  std::vector<State> states_;
};

} // namespace hexin

#endif // HEXIN_RUNTIME_EXEC_STATESTORE_H
