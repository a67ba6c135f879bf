//===- Affinity.h - the cores this process may use --------------------------===//
#ifndef HEXIN_BACKENDS_CPU_RUNTIME_AFFINITY_H
#define HEXIN_BACKENDS_CPU_RUNTIME_AFFINITY_H

#include <vector>

namespace hexin::cpu {

/// The numbers of the cores in the affinity mask that the process had at the first
/// call, ascending; at least one entry. The mask is never widened.
const std::vector<int> &inheritedCores();

/// Pins the calling thread to one core. Failure is harmless and ignored.
void pinThisThread(int core);

} // namespace hexin::cpu

#endif // HEXIN_BACKENDS_CPU_RUNTIME_AFFINITY_H
