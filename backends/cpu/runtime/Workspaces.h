//===- Workspaces.h - memory that each thread of a team has to itself ------------===//
//
// Kernels that keep intermediate results get it as a binding (Kernel.workspace_bytes).
// All commands share it: it is as large as the largest wants, and made while commands
// are prepared. A submission leases a set, one workspace per thread; sets are kept, so
// that only more callers at a time than ever before make a new one.
//
//===----------------------------------------------------------------------------------------===//
#ifndef HEXIN_BACKENDS_CPU_RUNTIME_WORKSPACES_H
#define HEXIN_BACKENDS_CPU_RUNTIME_WORKSPACES_H

#include "hexin/status.h"

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace hexin::cpu {

/// Thread-safe.
class Workspaces {
  struct Free {
    void operator()(uint8_t *memory) const { std::free(memory); }
  };
  struct Set {
    std::unique_ptr<uint8_t[], Free> memory;
    uint64_t bytesPerThread = 0;
  };

public:
  explicit Workspaces(unsigned threads) : threads(threads) {}

  /// Gives its set back when it ends.
  class Lease {
  public:
    Lease() = default;
    Lease(Lease &&other) noexcept
        : owner(std::exchange(other.owner, nullptr)), set(std::move(other.set)) {}
    Lease &operator=(Lease &&other) noexcept {
      std::swap(owner, other.owner);
      std::swap(set, other.set);
      return *this;
    }
    ~Lease() {
      if (owner)
        owner->giveBack(std::move(set));
    }

    /// 64-byte aligned, of what was reserved; null when nothing was.
    void *of(unsigned thread) const {
      return set.memory ? set.memory.get() + thread * set.bytesPerThread : nullptr;
    }

  private:
    friend class Workspaces;
    Workspaces *owner = nullptr; ///< null: nothing to give back
    Set set;
  };

  /// From now on every thread has `bytes` at least. resourceExhausted when the machine
  /// has not that much.
  Status reserve(uint64_t bytes);

  /// Workspaces for all threads of a team, to one caller.
  Result<Lease> lease();

private:
  Result<Set> make(uint64_t bytesPerThread) const;
  void giveBack(Set set);

  const unsigned threads;
  std::mutex mutex;
  uint64_t bytesPerThread = 0;
  std::vector<Set>
      idle; ///< capacity for as many as there are, so giving back never fails
  size_t made = 0;
};

} // namespace hexin::cpu

#endif // HEXIN_BACKENDS_CPU_RUNTIME_WORKSPACES_H
