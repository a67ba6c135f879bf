//===- CompileArguments.h - compile options shared by several commands -------===//
#ifndef HEXIN_RUNTIME_TOOLS_COMPILEARGUMENTS_H
#define HEXIN_RUNTIME_TOOLS_COMPILEARGUMENTS_H

#include "hexin/compile.h"

#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace hexin::cli {

/// The command line's form of CompileOptions.
struct CompileArguments {
  std::vector<std::string> targets;
  std::vector<std::string> allowFallback;
  std::vector<std::string> disable;
  std::vector<std::string> prefer;
  std::vector<std::string> cpuArchs;
  std::string prepack;
  std::string precision;
  double maxError = 0;
  uint32_t threads = 0;
  bool explain = false;
  bool verifyEach = false;
};

/// Declares the options above on `command`.
void addCompileArguments(CLI::App &command, CompileArguments &arguments);

CompileOptions toCompileOptions(const CompileArguments &arguments);

/// What a compile or retarget left behind, on stdout: the text it was asked for,
/// or what was written. With `asJson` one JSON object.
void printReport(const CompileReport &report, const std::string &outPath, bool asJson);

} // namespace hexin::cli

#endif // HEXIN_RUNTIME_TOOLS_COMPILEARGUMENTS_H
