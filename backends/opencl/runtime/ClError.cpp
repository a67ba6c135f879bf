#include "backends/opencl/runtime/ClError.h"
#include "backends/opencl/runtime/ClApi.h"

namespace hexin::opencl {

std::string clErrorName(int32_t code) {
#define HEXIN_CL_NAME(name)                                                              \
  case name:                                                                             \
    return #name;
  switch (code) {
    HEXIN_CL_NAME(CL_SUCCESS)
    HEXIN_CL_NAME(CL_DEVICE_NOT_FOUND)
    HEXIN_CL_NAME(CL_DEVICE_NOT_AVAILABLE)
    HEXIN_CL_NAME(CL_COMPILER_NOT_AVAILABLE)
    HEXIN_CL_NAME(CL_MEM_OBJECT_ALLOCATION_FAILURE)
    HEXIN_CL_NAME(CL_OUT_OF_RESOURCES)
    HEXIN_CL_NAME(CL_OUT_OF_HOST_MEMORY)
    HEXIN_CL_NAME(CL_PROFILING_INFO_NOT_AVAILABLE)
    HEXIN_CL_NAME(CL_MEM_COPY_OVERLAP)
    HEXIN_CL_NAME(CL_BUILD_PROGRAM_FAILURE)
    HEXIN_CL_NAME(CL_MAP_FAILURE)
    HEXIN_CL_NAME(CL_MISALIGNED_SUB_BUFFER_OFFSET)
    HEXIN_CL_NAME(CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST)
    HEXIN_CL_NAME(CL_COMPILE_PROGRAM_FAILURE)
    HEXIN_CL_NAME(CL_LINKER_NOT_AVAILABLE)
    HEXIN_CL_NAME(CL_LINK_PROGRAM_FAILURE)
    HEXIN_CL_NAME(CL_INVALID_VALUE)
    HEXIN_CL_NAME(CL_INVALID_DEVICE_TYPE)
    HEXIN_CL_NAME(CL_INVALID_PLATFORM)
    HEXIN_CL_NAME(CL_INVALID_DEVICE)
    HEXIN_CL_NAME(CL_INVALID_CONTEXT)
    HEXIN_CL_NAME(CL_INVALID_QUEUE_PROPERTIES)
    HEXIN_CL_NAME(CL_INVALID_COMMAND_QUEUE)
    HEXIN_CL_NAME(CL_INVALID_HOST_PTR)
    HEXIN_CL_NAME(CL_INVALID_MEM_OBJECT)
    HEXIN_CL_NAME(CL_INVALID_BINARY)
    HEXIN_CL_NAME(CL_INVALID_BUILD_OPTIONS)
    HEXIN_CL_NAME(CL_INVALID_PROGRAM)
    HEXIN_CL_NAME(CL_INVALID_PROGRAM_EXECUTABLE)
    HEXIN_CL_NAME(CL_INVALID_KERNEL_NAME)
    HEXIN_CL_NAME(CL_INVALID_KERNEL_DEFINITION)
    HEXIN_CL_NAME(CL_INVALID_KERNEL)
    HEXIN_CL_NAME(CL_INVALID_ARG_INDEX)
    HEXIN_CL_NAME(CL_INVALID_ARG_VALUE)
    HEXIN_CL_NAME(CL_INVALID_ARG_SIZE)
    HEXIN_CL_NAME(CL_INVALID_KERNEL_ARGS)
    HEXIN_CL_NAME(CL_INVALID_WORK_DIMENSION)
    HEXIN_CL_NAME(CL_INVALID_WORK_GROUP_SIZE)
    HEXIN_CL_NAME(CL_INVALID_WORK_ITEM_SIZE)
    HEXIN_CL_NAME(CL_INVALID_GLOBAL_OFFSET)
    HEXIN_CL_NAME(CL_INVALID_EVENT_WAIT_LIST)
    HEXIN_CL_NAME(CL_INVALID_EVENT)
    HEXIN_CL_NAME(CL_INVALID_OPERATION)
    HEXIN_CL_NAME(CL_INVALID_BUFFER_SIZE)
    HEXIN_CL_NAME(CL_INVALID_GLOBAL_WORK_SIZE)
    HEXIN_CL_NAME(CL_INVALID_PROPERTY)
    HEXIN_CL_NAME(CL_INVALID_COMPILER_OPTIONS)
  case -1001:
    return "CL_PLATFORM_NOT_FOUND_KHR";
  }
#undef HEXIN_CL_NAME
  return "OpenCL error " + std::to_string(code);
}

namespace {
struct Meaning {
  StatusCode code;
  const char *remedy;
};
} // namespace

static Meaning meaningOf(int32_t code) {
  switch (code) {
  case CL_MEM_OBJECT_ALLOCATION_FAILURE:
  case CL_OUT_OF_HOST_MEMORY:
    return {StatusCode::resourceExhausted,
            "free memory, or run smaller inputs or fewer sessions on this device"};
  case CL_INVALID_BUFFER_SIZE:
    return {StatusCode::resourceExhausted,
            "the device does not take a buffer of this size"};
  case CL_OUT_OF_RESOURCES:
    return {StatusCode::deviceLost, "the device ran out of resources or failed; close "
                                    "its sessions and open it again"};
  case CL_DEVICE_NOT_AVAILABLE:
  case CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST:
  case CL_INVALID_COMMAND_QUEUE:
  case CL_INVALID_CONTEXT:
    return {StatusCode::deviceLost, "the device failed or is gone; open it again"};
  case CL_DEVICE_NOT_FOUND:
  case CL_COMPILER_NOT_AVAILABLE:
  case -1001:
    return {StatusCode::unavailable, "install or repair the OpenCL driver of the device"};
  case CL_BUILD_PROGRAM_FAILURE:
  case CL_INVALID_BUILD_OPTIONS:
    return {StatusCode::unsupported, "the device's compiler refused the kernels; choose "
                                     "another device and report the log"};
  case CL_INVALID_KERNEL_NAME:
    return {StatusCode::notFound,
            "the image has no such kernel; compile the model again"};
  case CL_INVALID_WORK_GROUP_SIZE:
  case CL_INVALID_GLOBAL_WORK_SIZE:
  case CL_INVALID_WORK_ITEM_SIZE:
    return {StatusCode::unsupported, "the launch is too large for the device"};
  case CL_MEM_COPY_OVERLAP:
  case CL_INVALID_HOST_PTR:
    return {StatusCode::invalidArgument, "the memory ranges do not fit together"};
  default:
    return {StatusCode::internal, "please report it with the device and driver version"};
  }
}

Status clStatus(int32_t code, std::string_view what) {
  if (code == CL_SUCCESS)
    return Status::success();
  Meaning meaning = meaningOf(code);
  return {meaning.code, std::string(what) + ": " + clErrorName(code) + " (" +
                            std::to_string(code) + "); " + meaning.remedy};
}

} // namespace hexin::opencl
