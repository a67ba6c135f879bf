#include "backends/cpu/runtime/Affinity.h"

#include <sched.h>

namespace hexin::cpu {
namespace {

std::vector<int> readMask() {
  // Larger than any kernel's mask, so that one call is enough.
  constexpr int maxCores = 8192;
  std::vector<int> cores;
  cpu_set_t *mask = CPU_ALLOC(maxCores);
  if (mask && sched_getaffinity(0, CPU_ALLOC_SIZE(maxCores), mask) == 0)
    for (int core = 0; core < maxCores; ++core)
      if (CPU_ISSET_S(core, CPU_ALLOC_SIZE(maxCores), mask))
        cores.push_back(core);
  if (mask)
    CPU_FREE(mask);
  if (cores.empty())
    cores.push_back(0);
  return cores;
}

} // namespace

const std::vector<int> &inheritedCores() {
  static const std::vector<int> cores = readMask();
  return cores;
}

void pinThisThread(int core) {
  cpu_set_t *mask = CPU_ALLOC(core + 1);
  if (!mask)
    return;
  CPU_ZERO_S(CPU_ALLOC_SIZE(core + 1), mask);
  CPU_SET_S(core, CPU_ALLOC_SIZE(core + 1), mask);
  sched_setaffinity(0, CPU_ALLOC_SIZE(core + 1), mask);
  CPU_FREE(mask);
}

} // namespace hexin::cpu
