//===- ClApi.h - the OpenCL functions, found at run time ---------------------===//
//
// No OpenCL library is linked: the ICD loader is opened when somebody first asks
// for devices, so the backend builds and loads on machines without OpenCL and
// says politely why it has no devices there.
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_BACKENDS_OPENCL_RUNTIME_CLAPI_H
#define HEXIN_BACKENDS_OPENCL_RUNTIME_CLAPI_H

#ifndef CL_TARGET_OPENCL_VERSION
#define CL_TARGET_OPENCL_VERSION 120
#endif
#include <CL/cl.h>

#include "hexin/status.h"

#include <utility>

// Every function the backend calls, all of OpenCL 1.2.
#define HEXIN_CL_FUNCTIONS(X)                                                            \
  X(clGetPlatformIDs)                                                                    \
  X(clGetPlatformInfo)                                                                   \
  X(clGetDeviceIDs)                                                                      \
  X(clGetDeviceInfo)                                                                     \
  X(clCreateContext)                                                                     \
  X(clReleaseContext)                                                                    \
  X(clCreateCommandQueue)                                                                \
  X(clReleaseCommandQueue)                                                               \
  X(clCreateBuffer)                                                                      \
  X(clReleaseMemObject)                                                                  \
  X(clCreateProgramWithSource)                                                           \
  X(clCreateProgramWithBinary)                                                           \
  X(clBuildProgram)                                                                      \
  X(clGetProgramInfo)                                                                    \
  X(clGetProgramBuildInfo)                                                               \
  X(clReleaseProgram)                                                                    \
  X(clCreateKernel)                                                                      \
  X(clReleaseKernel)                                                                     \
  X(clSetKernelArg)                                                                      \
  X(clGetKernelInfo)                                                                     \
  X(clGetKernelWorkGroupInfo)                                                            \
  X(clEnqueueNDRangeKernel)                                                              \
  X(clEnqueueReadBuffer)                                                                 \
  X(clEnqueueWriteBuffer)                                                                \
  X(clEnqueueCopyBuffer)                                                                 \
  X(clEnqueueMapBuffer)                                                                  \
  X(clEnqueueUnmapMemObject)                                                             \
  X(clFlush)                                                                             \
  X(clFinish)                                                                            \
  X(clWaitForEvents)                                                                     \
  X(clGetEventInfo)                                                                      \
  X(clGetEventProfilingInfo)                                                             \
  X(clReleaseEvent)

namespace hexin::opencl {

struct ClApi {
#define HEXIN_CL_MEMBER(name) decltype(&::name) name = nullptr;
  HEXIN_CL_FUNCTIONS(HEXIN_CL_MEMBER)
#undef HEXIN_CL_MEMBER

  /// The table, loaded once per process and kept (drivers do not survive being
  /// unloaded). $HEXIN_OPENCL_LIBRARY replaces "libOpenCL.so.1". Thread-safe.
  /// unavailable: no such library, or it is no OpenCL 1.2 loader.
  static const Result<ClApi> &get();
};

/// Owns one OpenCL object.
template <typename T, cl_int (CL_API_CALL *ClApi::*release)(T)> class ClObject {
public:
  ClObject() = default;
  ClObject(const ClApi &api, T object) : api_(&api), object_(object) {}
  ClObject(ClObject &&other) noexcept
      : api_(other.api_), object_(std::exchange(other.object_, nullptr)) {}
  ClObject &operator=(ClObject &&other) noexcept {
    std::swap(api_, other.api_);
    std::swap(object_, other.object_);
    return *this;
  }
  ~ClObject() {
    if (object_)
      (api_->*release)(object_);
  }

  T get() const { return object_; }
  explicit operator bool() const { return object_ != nullptr; }

private:
  const ClApi *api_ = nullptr;
  T object_ = nullptr;
};

using ClContext = ClObject<cl_context, &ClApi::clReleaseContext>;
using ClQueue = ClObject<cl_command_queue, &ClApi::clReleaseCommandQueue>;
using ClMem = ClObject<cl_mem, &ClApi::clReleaseMemObject>;
using ClProgram = ClObject<cl_program, &ClApi::clReleaseProgram>;
using ClKernel = ClObject<cl_kernel, &ClApi::clReleaseKernel>;
using ClEvent = ClObject<cl_event, &ClApi::clReleaseEvent>;

} // namespace hexin::opencl

#endif // HEXIN_BACKENDS_OPENCL_RUNTIME_CLAPI_H
