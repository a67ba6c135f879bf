//===- Action.h - what streams and graphs hold ---------------------------------------===//
#ifndef HEXIN_TESTS_CUDA_DRIVER_DRIVER_ACTION_H
#define HEXIN_TESTS_CUDA_DRIVER_DRIVER_ACTION_H

#include "tests/cuda_driver/driver/CudaAbi.h"
#include "tests/cuda_driver/simt/DeviceMemory.h"

#include <array>
#include <memory>
#include <variant>
#include <vector>

namespace standin {

struct Context;
struct Device;
struct Function;

/// Memory of a device, or of the host where `device` is null.
struct Place {
  Device *device = nullptr;
  uint64_t address = 0;
};

struct KernelAction {
  std::shared_ptr<Function> function;
  std::array<uint32_t, 3> grid{1, 1, 1}, block{1, 1, 1};
  uint32_t sharedBytes = 0; ///< dynamic
  std::vector<std::byte> params;
};
struct CopyAction {
  Place dst, src;
  uint64_t bytes = 0;
  std::shared_ptr<const std::vector<std::byte>> staged; ///< if any, instead of `src`
};
struct FillAction {
  Place dst;
  uint32_t value = 0, elementBytes = 1;
  uint64_t count = 0;
};
struct HostAction {
  CUhostFn function = nullptr;
  void *userData = nullptr;
};
/// Marks a point: a recorded event, a wait, a graph's empty node.
struct EmptyAction {};
/// The beginning of a stream-ordered allocation: what was there before is lost.
struct PoisonAction {
  Place place;
  uint64_t bytes = 0;
};
struct ReleaseAction {
  Place place;
};

struct GraphNode;
struct GraphAction {
  std::shared_ptr<const std::vector<GraphNode>> nodes;
};

using Action = std::variant<KernelAction, CopyAction, FillAction, HostAction, EmptyAction,
                            PoisonAction, ReleaseAction, GraphAction>;

struct GraphNode {
  CUgraphNode handle = nullptr; ///< in the graph it was made in
  Action action;
  std::vector<size_t> dependsOn; ///< indices of earlier nodes
};

/// An action in a stream. Everything it must come after is in `waitsFor`: the stream's
/// work before it, events, the default stream's rules.
struct Work {
  uint64_t serial = 0;
  Context *context = nullptr;
  Action action;
  std::vector<std::shared_ptr<Work>> waitsFor; ///< some may be done by now
  bool isRunning = false, isDone = false;
  int64_t finishedNs = 0; ///< steady clock
};

} // namespace standin

#endif // HEXIN_TESTS_CUDA_DRIVER_DRIVER_ACTION_H
