//===- Commands.h - the subcommands of `hexin` ------------------------------===//
//
// Each add…Command declares one subcommand on `app`. When it is chosen, its
// work runs inside app.parse() and its Status lands in `context`. Options of a
// command live as long as the callback that CLI11 holds.
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_RUNTIME_TOOLS_COMMANDS_H
#define HEXIN_RUNTIME_TOOLS_COMMANDS_H

#include "hexin/status.h"

namespace CLI {
class App;
}

namespace hexin::cli {

/// What main and all commands share.
struct Context {
  bool showProgress = false; ///< --progress: also when stderr is no terminal
  Status status;             ///< how the chosen command ended
};

void addCompileCommand(CLI::App &app, Context &context);
void addRunCommand(CLI::App &app, Context &context);
void addBenchCommand(CLI::App &app, Context &context);
void addInspectCommand(CLI::App &app, Context &context);
void addRetargetCommand(CLI::App &app, Context &context);
void addDevicesCommand(CLI::App &app, Context &context);
void addCacheCommand(CLI::App &app, Context &context);

} // namespace hexin::cli

#endif // HEXIN_RUNTIME_TOOLS_COMMANDS_H
