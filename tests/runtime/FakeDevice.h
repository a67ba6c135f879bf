//===- FakeDevice.h - device backends for tests, in this process ------------------===//
//
//   "near"  its buffers are host memory, the caller's can be wrapped (as a CPU)
//   "far"   memory of its own that only copies reach (as a GPU), at addresses that the
//           caller may know
//
// Both run kernels of the table in FakeDevice.cpp, checking every binding and whether
// the kernel would leave it (a deviceLost then, where real code would run wild), and
// put off the work of a submission until somebody waits or copies, so that a
// missing wait shows. New memory is filled with rubbish.
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_TESTS_RUNTIME_FAKEDEVICE_H
#define HEXIN_TESTS_RUNTIME_FAKEDEVICE_H

#include "runtime/device/hexin_device.h"

#include <cstdint>

namespace hexin::test {

/// Adds both to the registry, once.
void registerFakeDevices();

/// What the fakes have done in this process.
struct FakeCounters {
  uint64_t buffersAlive = 0;
  uint64_t commandsAlive = 0;
  uint64_t devicesAlive = 0;
  uint64_t allocations = 0;
  uint64_t wraps = 0;
  uint64_t copies = 0;
  uint64_t streamWaits = 0;
};
FakeCounters fakeCounters();

/// Makes the next `count` submissions fail while they run.
void failSubmissions(uint64_t count);

/// The table of the near device.
const hexin_device_api *nearApi();

} // namespace hexin::test

#endif // HEXIN_TESTS_RUNTIME_FAKEDEVICE_H
