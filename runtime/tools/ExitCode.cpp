#include "runtime/tools/ExitCode.h"

namespace hexin::cli {

ExitCode exitCodeOf(const Status &status) {
  switch (status.code()) {
  case StatusCode::ok:
    return ExitCode::success;
  case StatusCode::invalidArgument:
    return ExitCode::usage;
  case StatusCode::unavailable:
  case StatusCode::deviceLost:
    return ExitCode::deviceUnavailable;
  case StatusCode::notFound:
  case StatusCode::corruptData:
  case StatusCode::versionMismatch:
    return ExitCode::badFile;
  case StatusCode::unsupported:
    return ExitCode::unsupported;
  default:
    return ExitCode::workFailed;
  }
}

const char *exitCodeHelp() {
  return "Exit codes:\n"
         "  0  success\n"
         "  1  the work failed (compiling, running, writing a file)\n"
         "  2  the command line asks for something impossible\n"
         "  3  the device, its driver or its backend is not available\n"
         "  4  a file is missing, damaged or of a version this build cannot read\n"
         "  5  the model needs something this build does not support\n";
}

} // namespace hexin::cli
