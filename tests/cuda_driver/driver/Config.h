//===- Config.h - the stand-in's switches --------------------------------------------===//
#ifndef HEXIN_TESTS_CUDA_DRIVER_DRIVER_CONFIG_H
#define HEXIN_TESTS_CUDA_DRIVER_DRIVER_CONFIG_H

#include "tests/cuda_driver/driver/Profiles.h"
#include "tests/cuda_driver/simt/Launch.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace standin {

/// "3": the third time. "3+": from then on. "all" is "1+". Counts from 1.
struct Nth {
  uint64_t first = 0; ///< 0: never
  bool isOpenEnded = false;
  uint64_t seen = 0;

  /// Counts one occurrence; true when it is one of those asked for.
  bool strikes() {
    ++seen;
    return first && (seen == first || (isOpenEnded && seen > first));
  }
};

enum class Schedule { late, early, mixed };
enum class Leaks { report, fail, ignore };

/// One field per switch; README.md describes each.
struct Config {
  // Hold from the next start or reset.
  std::vector<const Profile *> devices;
  uint64_t memoryBytes = uint64_t(8) << 30; ///< of each device
  int driverVersion = 13000;

  uint64_t seed = 0;
  Schedule schedule = Schedule::late;
  Leaks leaks = Leaks::report;
  std::string reportFile, traceFile; ///< empty: none; "-": stderr
  std::string ptxas;                 ///< empty: texts are not judged
  bool isVerbose = false;
  bool hasPeerAccess = false;

  unsigned failInit = 0; ///< a CUresult; 0: none
  Nth failAllocation, failModule, refuseLaunch, faultLaunch, loseDevice;
  unsigned loseDeviceOrdinal = 0;

  Nth loseLaunch, ignoreWait;
  Sabotage sabotage;
};

/// Defaults, then the environment. What is wrong there goes to stderr and stays unset.
Config configFromEnvironment();

/// Sets one switch by the name behind "HEXIN_STANDIN_". False: no such switch or value.
bool setSwitch(Config &config, std::string_view name, std::string_view value);

} // namespace standin

#endif // HEXIN_TESTS_CUDA_DRIVER_DRIVER_CONFIG_H
