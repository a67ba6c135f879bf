//===- ExitCode.h - what the command tells the shell -----------------------===//
//
// Scripts rely on these numbers; `hexin --help` lists them. Only append.
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_RUNTIME_TOOLS_EXITCODE_H
#define HEXIN_RUNTIME_TOOLS_EXITCODE_H

#include "hexin/status.h"

namespace hexin::cli {

enum class ExitCode : int {
  success = 0,
  workFailed = 1,        ///< compiling or running failed
  usage = 2,             ///< the command line asks for something impossible
  deviceUnavailable = 3, ///< the device, its driver or its backend is not there
  badFile = 4,           ///< a file is missing, damaged or of another version
  unsupported = 5,       ///< the model needs something this build cannot do
};

/// The exit code for a finished command.
ExitCode exitCodeOf(const Status &status);

/// The lines of `--help` that explain the numbers.
const char *exitCodeHelp();

} // namespace hexin::cli

#endif // HEXIN_RUNTIME_TOOLS_EXITCODE_H
