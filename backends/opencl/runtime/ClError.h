//===- ClError.h - OpenCL error codes as Status ------------------------------===//
#ifndef HEXIN_BACKENDS_OPENCL_RUNTIME_CLERROR_H
#define HEXIN_BACKENDS_OPENCL_RUNTIME_CLERROR_H

#include "hexin/status.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace hexin::opencl {

/// "CL_OUT_OF_RESOURCES", or "OpenCL error -9999" for codes of no standard.
std::string clErrorName(int32_t code);

/// Success for CL_SUCCESS, else "<what>: CL_... (-5); <what to do>" with the
/// StatusCode that fits.
Status clStatus(int32_t code, std::string_view what);

} // namespace hexin::opencl

#endif // HEXIN_BACKENDS_OPENCL_RUNTIME_CLERROR_H
