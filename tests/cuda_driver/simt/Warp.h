//===- Warp.h - 32 lanes that execute together --------------------------------------===//
//
// Lanes that have gone different ways are fragments of their warp: a program counter
// and the lanes that are there. The fragment with the lowest counter runs first, and
// fragments that meet become one. An instruction with .sync holds its fragment until
// all lanes that it names are at it.
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_TESTS_CUDA_DRIVER_SIMT_WARP_H
#define HEXIN_TESTS_CUDA_DRIVER_SIMT_WARP_H

#include "tests/cuda_driver/ptx/Code.h"
#include "tests/cuda_driver/simt/Launch.h"

#include <memory>
#include <random>

namespace standin {

constexpr unsigned numLanes = 32;
constexpr uint32_t allLanes = ~0u;

/// CUresult, as cuda.h numbers them.
namespace result {
constexpr int illegalAddress = 700, launchTimeout = 702, illegalInstruction = 715,
              misalignedAddress = 716, launchFailed = 719;
} // namespace result

struct Fragment {
  enum class State : uint8_t {
    Ready,
    Gathering, ///< waits for the other lanes of `awaited` to come to `pc`
    AtBarrier, ///< is counted at `barrier`
  };
  uint32_t pc = 0, mask = 0;
  State state = State::Ready;
  uint8_t barrier = 0;
  uint32_t awaited = 0;
};

struct Barrier {
  uint32_t arrived = 0;  ///< threads
  uint32_t expected = 0; ///< threads; 0: all that live
};

/// A copy that cp.async has asked for and that no wait has yet demanded.
struct AsyncCopy {
  uint64_t group = 0;
  std::byte *dst = nullptr;
  const std::byte *src = nullptr;
  uint8_t bytes = 0, srcBytes = 0; ///< what is not copied is zeroed
};

/// What the blocks of a launch share.
struct Grid {
  const Launch &launch;
  const Code &code;
  DeviceMemory &memory;
  Counters &counters;
  std::vector<DeviceMemory::Range> lastRange; ///< by instruction: where it last hit
  std::mt19937_64 random;
};

struct Block {
  explicit Block(Grid &grid);

  /// Runs one block to its end.
  void run(std::array<uint32_t, 3> index);
  /// Lets go who waits at barriers that are complete. True when somebody was.
  bool releaseBarriers();

  Grid &grid;
  std::array<uint32_t, 3> index{};
  std::vector<std::byte> shared;
  std::vector<Warp> warps;
  std::array<Barrier, 16> barriers{};
  uint32_t liveThreads = 0;
  uint64_t instructionsLeft = 0; ///< until the block is taken to hang

private:
  [[noreturn]] void reportDeadlock();
  void runWarps();
};

class Warp {
public:
  Warp(Block &block, unsigned index, uint32_t numThreads);
  Warp(Warp &&) = default;

  /// Begins the block `block.index` anew. Registers keep what the last block left in
  /// them; they are poisoned once, when the warp is made.
  void start();
  /// Runs until every fragment waits or has ended, or `quantum` instructions are done.
  /// False when there is nothing that can run.
  bool run(uint64_t quantum);

  template <class T> T *lanes(uint32_t slot) {
    return reinterpret_cast<T *>(registers_.get() + slot);
  }
  uint32_t &predicate(uint32_t slot) { return *lanes<uint32_t>(slot); }
  std::byte *local(unsigned lane) { return local_.data() + lane * localBytes_; }
  uint32_t localBytes() const { return localBytes_; }

  uint32_t live() const { return live_; } ///< lanes that have not exited
  uint32_t pc() const { return running().pc; }
  Fragment &running() { return fragments_[running_]; }
  const Fragment &running() const { return fragments_[running_]; }
  std::vector<Fragment> &fragments() { return fragments_; }

  /// For instructions with .sync: true when all lanes of `members` are here and among
  /// `active`; otherwise the fragment waits, and the handler returns Flow::Reschedule.
  bool gather(const Instruction &instruction, uint32_t active, uint32_t members);
  /// Takes `lanes` out of the running fragment and lets them go on at `pc`.
  void split(uint32_t lanes, uint32_t pc);
  /// Ends these lanes of the running fragment.
  void exit(uint32_t lanes);

  /// A fault of `lane` (or of no lane in particular) at the running instruction.
  [[noreturn]] void fault(int code, const std::string &what, int lane = -1);
  std::string describeWaiting() const; ///< for the report of a deadlock

  Block &block;
  const unsigned index;
  std::array<std::vector<AsyncCopy>, numLanes> copies; ///< by lane, oldest first
  std::array<uint64_t, numLanes> copyGroup{};          ///< the one that is open

private:
  struct Free {
    void operator()(std::byte *memory) const;
  };
  void setConstants();
  /// Those that differ from block to block, or the others.
  void setSpecials(bool ofTheBlock);
  bool pick();
  void runFragment(uint64_t &quantum);
  Flow execute(const Instruction &instruction, uint32_t active);

  std::unique_ptr<std::byte[], Free> registers_;
  std::vector<std::byte> local_;
  uint32_t localBytes_ = 0;
  uint32_t numThreads_ = 0, live_ = 0;
  std::vector<Fragment> fragments_;
  size_t running_ = 0;
};

} // namespace standin

#endif // HEXIN_TESTS_CUDA_DRIVER_SIMT_WARP_H
