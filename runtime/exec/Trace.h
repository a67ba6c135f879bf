//===- Trace.h - when what ran in the last profiled run ---------------------===//
#ifndef HEXIN_RUNTIME_EXEC_TRACE_H
#define HEXIN_RUNTIME_EXEC_TRACE_H

#include "runtime/artifact/hexin_generated.h"

#include <cstdint>
#include <string>
#include <vector>

namespace hexin {

/// What a launch has to do at its sizes.
struct LaunchCost {
  int64_t operations = 0; ///< of its products; 0: it has none, or nobody knows
  /// That it binds: each binding's footprint, or dense size for a library.
  int64_t bytesRead = 0;
  int64_t bytesWritten = 0;
};

struct TraceEvent {
  uint32_t instruction = 0; ///< of the program
  bool isOnDevice = false;
  uint64_t beginNs = 0; ///< steady clock
  uint64_t endNs = 0;
  uint32_t variant = 0;   ///< of the instruction, on the device
  std::string passedOver; ///< better variants that the device refused, and why
  LaunchCost cost;        ///< on the device
};

/// Chrome trace JSON: one row for the host, one for the device.
std::string formatTrace(const fmt::Program &program, const std::string &deviceId,
                        const std::vector<TraceEvent> &events);

/// The steady clock.
uint64_t nowNs();

} // namespace hexin

#endif // HEXIN_RUNTIME_EXEC_TRACE_H
