//===- OpTimes.h - where the time of a run goes -----------------------------===//
//
// Traces of several runs as one row per instruction: its median time, and beside it the
// *limit*, what it takes at least on a device of this peak:
//
//   limit = max(operations / flops, (bytes read + bytes written) / bandwidth)
//
// Operations are those of the op's definition: an algorithm that needs fewer (Winograd)
// may stay below the limit, as may data that the caches still have. An op far above it
// is where time can be won.
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_RUNTIME_TOOLS_OPTIMES_H
#define HEXIN_RUNTIME_TOOLS_OPTIMES_H

#include "runtime/tools/CpuPeak.h"

#include <nlohmann/json.hpp>

#include <map>
#include <string>
#include <vector>

namespace hexin::cli {

class OpTimes {
public:
  /// `trace`: of Session::trace().
  void addRun(const std::string &trace);

  /// {"peak": {...}, "totalMs", "limitMs", "ops": [{"op", "node", "engine", "name",
  /// "launches", "ms", "share", "operations", "bytes", "gflops", "gbs", "limitMs",
  /// "ofLimit"}, ...]}, slowest first. A part of `peak` that is 0 is not known, and what
  /// hangs on it left out.
  nlohmann::json report(const Peak &peak) const;

private:
  struct Op {
    nlohmann::json event;  ///< the last one
    uint64_t launches = 0; ///< in the last run
    double operations = 0; ///< of all launches of the last run
    double bytes = 0;
    std::vector<double> runMs; ///< per run that had it
    size_t lastRun = 0;
  };
  /// By row of the trace (host or device) and instruction.
  std::map<std::pair<int, uint64_t>, Op> ops;
  size_t runs = 0;
};

/// `report` as a table.
std::string formatOpTimes(const nlohmann::json &report);

} // namespace hexin::cli

#endif // HEXIN_RUNTIME_TOOLS_OPTIMES_H
