#include "backends/cuda/runtime/CudaError.h"

#include <algorithm>
#include <iterator>

namespace hexin::cuda {
namespace {

struct Row {
  int code;
  const char *name;
  StatusCode status;
  const char *remedy;
};

constexpr const char *repairDriver = "install or repair NVIDIA's driver";
constexpr const char *reportIt =
    "please report it with the versions of device and driver";
constexpr const char *reopen =
    "the device's context is dead; close its sessions and open it again, or restart "
    "the process if that does not help";
constexpr const char *kernelDied =
    "a kernel failed and took the device's context along; close its sessions and open "
    "it again, and please report it";
constexpr const char *recompile =
    "the driver refused the kernels; compile the model again, choose another device, "
    "and please report the log";

using enum StatusCode;

// By code.
constexpr Row rows[] = {
    {1, "CUDA_ERROR_INVALID_VALUE", internal, reportIt},
    {2, "CUDA_ERROR_OUT_OF_MEMORY", resourceExhausted,
     "free memory, or run smaller inputs or fewer sessions on this device"},
    {3, "CUDA_ERROR_NOT_INITIALIZED", unavailable, repairDriver},
    {4, "CUDA_ERROR_DEINITIALIZED", unavailable,
     "the process is ending; use devices before that"},
    {34, "CUDA_ERROR_STUB_LIBRARY", unavailable,
     "a stub of the toolkit was found instead of a driver; install NVIDIA's driver"},
    {46, "CUDA_ERROR_DEVICE_UNAVAILABLE", deviceLost,
     "the device fell out, or another process has it for itself; free it and open it "
     "again"},
    {100, "CUDA_ERROR_NO_DEVICE", unavailable,
     "there is no NVIDIA GPU, or it is hidden (CUDA_VISIBLE_DEVICES, container)"},
    {101, "CUDA_ERROR_INVALID_DEVICE", notFound, "'hexin devices' lists what there is"},
    {102, "CUDA_ERROR_DEVICE_NOT_LICENSED", unavailable, repairDriver},
    {200, "CUDA_ERROR_INVALID_IMAGE", corruptData, recompile},
    {201, "CUDA_ERROR_INVALID_CONTEXT", deviceLost, reopen},
    {205, "CUDA_ERROR_MAP_FAILED", resourceExhausted,
     "free memory, or run smaller inputs or fewer sessions on this device"},
    {209, "CUDA_ERROR_NO_BINARY_FOR_GPU", unsupported,
     "the code is for another GPU; compile or retarget the model for this one"},
    {214, "CUDA_ERROR_ECC_UNCORRECTABLE", deviceLost,
     "the device's memory is damaged; restart the process and check the device"},
    {218, "CUDA_ERROR_INVALID_PTX", unsupported, recompile},
    {220, "CUDA_ERROR_NVLINK_UNCORRECTABLE", deviceLost, reopen},
    {221, "CUDA_ERROR_JIT_COMPILER_NOT_FOUND", unavailable,
     "the driver's PTX compiler (libnvidia-ptxjitcompiler) is missing; install it"},
    {222, "CUDA_ERROR_UNSUPPORTED_PTX_VERSION", versionMismatch,
     "the code is newer than the driver; update NVIDIA's driver"},
    {223, "CUDA_ERROR_JIT_COMPILATION_DISABLED", unavailable,
     "unset CUDA_DISABLE_PTX_JIT: kernels are compiled by the driver"},
    {301, "CUDA_ERROR_FILE_NOT_FOUND", notFound, reportIt},
    {304, "CUDA_ERROR_OPERATING_SYSTEM", unavailable, repairDriver},
    {400, "CUDA_ERROR_INVALID_HANDLE", internal, reportIt},
    {401, "CUDA_ERROR_ILLEGAL_STATE", internal, reportIt},
    {500, "CUDA_ERROR_NOT_FOUND", notFound,
     "the image has no such kernel; compile the model again"},
    {600, "CUDA_ERROR_NOT_READY", internal, reportIt},
    {700, "CUDA_ERROR_ILLEGAL_ADDRESS", deviceLost, kernelDied},
    {701, "CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES", unsupported,
     "the launch wants more registers, threads or shared memory than the device has"},
    {702, "CUDA_ERROR_LAUNCH_TIMEOUT", deviceLost,
     "a kernel took longer than the system allows (a display hangs on this GPU); run "
     "smaller inputs or another device"},
    {708, "CUDA_ERROR_PRIMARY_CONTEXT_ACTIVE", failedPrecondition, reportIt},
    {709, "CUDA_ERROR_CONTEXT_IS_DESTROYED", deviceLost, reopen},
    {710, "CUDA_ERROR_ASSERT", deviceLost, kernelDied},
    {714, "CUDA_ERROR_HARDWARE_STACK_ERROR", deviceLost, kernelDied},
    {715, "CUDA_ERROR_ILLEGAL_INSTRUCTION", deviceLost, kernelDied},
    {716, "CUDA_ERROR_MISALIGNED_ADDRESS", deviceLost, kernelDied},
    {717, "CUDA_ERROR_INVALID_ADDRESS_SPACE", deviceLost, kernelDied},
    {718, "CUDA_ERROR_INVALID_PC", deviceLost, kernelDied},
    {719, "CUDA_ERROR_LAUNCH_FAILED", deviceLost, kernelDied},
    {720, "CUDA_ERROR_COOPERATIVE_LAUNCH_TOO_LARGE", unsupported, reportIt},
    {800, "CUDA_ERROR_NOT_PERMITTED", unavailable,
     "the system does not permit this; check its rights on the device"},
    {801, "CUDA_ERROR_NOT_SUPPORTED", unsupported, reportIt},
    {802, "CUDA_ERROR_SYSTEM_NOT_READY", unavailable,
     "start the system's GPU services (nvidia-fabricmanager)"},
    {803, "CUDA_ERROR_SYSTEM_DRIVER_MISMATCH", unavailable,
     "kernel module and library of the driver are of different versions; restart"},
    {804, "CUDA_ERROR_COMPAT_NOT_SUPPORTED_ON_DEVICE", unavailable, repairDriver},
    {900, "CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED", internal, reportIt},
    {901, "CUDA_ERROR_STREAM_CAPTURE_INVALIDATED", internal, reportIt},
    {910, "CUDA_ERROR_GRAPH_EXEC_UPDATE_FAILURE", internal, reportIt},
    {999, "CUDA_ERROR_UNKNOWN", deviceLost, reopen},
};

static_assert(std::ranges::is_sorted(rows, {}, &Row::code));

const Row *findRow(int code) {
  const Row *row = std::ranges::lower_bound(rows, code, {}, &Row::code);
  return row != std::end(rows) && row->code == code ? row : nullptr;
}

} // namespace

std::string cudaErrorName(int code) {
  if (code == 0)
    return "CUDA_SUCCESS";
  const Row *row = findRow(code);
  return row ? row->name : "CUDA error " + std::to_string(code);
}

Status cudaStatus(int code, std::string_view what) {
  if (code == 0)
    return Status::success();
  const Row *row = findRow(code);
  return {row ? row->status : internal, std::string(what) + ": " + cudaErrorName(code) +
                                            " (" + std::to_string(code) + "); " +
                                            (row ? row->remedy : reportIt)};
}

} // namespace hexin::cuda
