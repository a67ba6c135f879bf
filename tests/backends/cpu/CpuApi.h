//===- CpuApi.h - the CPU device as the runtime sees it, for tests ----------------===//
#ifndef HEXIN_TESTS_BACKENDS_CPU_CPUAPI_H
#define HEXIN_TESTS_BACKENDS_CPU_CPUAPI_H

#include "runtime/device/hexin_device.h"

#include <span>
#include <string>

namespace hexin::test {

/// The C ABI of libhexin_backend_cpu.so.
const hexin_device_api &cpuApi();

/// Prepares `desc`, runs it `repeats` times over `slots` and discards it; releases the
/// slots' buffers in any case. Returns the error text.
std::string runCommand(hexin_device *device, const hexin_command_desc &desc,
                       std::span<const hexin_slot> slots, int repeats = 1);

} // namespace hexin::test

#endif // HEXIN_TESTS_BACKENDS_CPU_CPUAPI_H
