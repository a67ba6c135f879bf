//===- Main.cpp - the `hexin` command ----------------------------------------===//

#include "hexin/log.h"
#include "runtime/tools/Commands.h"
#include "runtime/tools/ExitCode.h"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include <cstdio>
#include <exception>
#include <optional>
#include <string>
#include <vector>

using namespace hexin::cli;

namespace {

/// CLI11 reports by exceptions and has exit codes of its own; ours are 0 and 2.
ExitCode reportParseError(const CLI::App &app, const CLI::ParseError &error) {
  if (error.get_exit_code() == 0) { // --help or --version
    app.exit(error);
    return ExitCode::success;
  }
  std::string message = error.what();
  // CLI11 only says that a command is missing when one is not known.
  bool lacksCommand = app.get_subcommands().empty();
  if (std::vector<std::string> unknown = app.remaining();
      lacksCommand && !unknown.empty())
    message = "there is no command '" + unknown.front() + "'";
  std::fprintf(stderr, "hexin: error: %s\nhexin --help lists what there is.\n",
               message.c_str());
  return ExitCode::usage;
}

ExitCode runMain(int argc, char **argv) {
  Context context;
  CLI::App app("Compiles a model once and runs it on many chips.", "hexin");
  app.set_version_flag("--version", "hexin " HEXIN_VERSION);
  app.set_help_all_flag("--help-all", "Help for every command");
  app.footer(exitCodeHelp());
  app.require_subcommand(1);
  app.fallthrough(); // the options below are also taken after the command's name

  app.add_option_function<std::string>(
         "--log-level",
         [](const std::string &name) {
           std::optional<hexin::LogLevel> level = hexin::parseLogLevel(name);
           if (!level)
             throw CLI::ValidationError("--log-level", "'" + name +
                                                           "' is not off, error, "
                                                           "warning, info or debug");
           hexin::setLogLevel(*level);
         },
         "What to tell on stderr: off, error, warning, info or debug; default "
         "HEXIN_LOG_LEVEL, else warning")
      ->option_text("LEVEL")
      ->trigger_on_parse();
  app.add_flag("--progress", context.showProgress,
               "Report progress on stderr even when it is no terminal");

  addCompileCommand(app, context);
  addRunCommand(app, context);
  addBenchCommand(app, context);
  addInspectCommand(app, context);
  addRetargetCommand(app, context);
  addDevicesCommand(app, context);
  addCacheCommand(app, context);

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError &error) {
    return reportParseError(app, error);
  }
  if (!context.status.ok())
    std::fprintf(stderr, "hexin: error: %s\n", context.status.toString().c_str());
  return exitCodeOf(context.status);
}

} // namespace

int main(int argc, char **argv) {
  ExitCode code = ExitCode::workFailed;
  try {
    code = runMain(argc, argv);
  } catch (const std::exception &error) {
    // Out of memory, or a bug: still an exit code and not a core file.
    std::fprintf(stderr, "hexin: error: %s\n", error.what());
  }
  // Results that never reached the disk or the pipe are a failure.
  if (std::fflush(stdout) != 0 && code == ExitCode::success) {
    std::perror("hexin: error: cannot write to standard output");
    code = ExitCode::workFailed;
  }
  return static_cast<int>(code);
}
