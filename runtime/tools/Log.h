//===- Log.h - what the command says on stderr -----------------------------===//
//
// Results go to stdout, everything else here. The level is set once by main,
// before any command runs, and read from then on.
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_RUNTIME_TOOLS_LOG_H
#define HEXIN_RUNTIME_TOOLS_LOG_H

#include <string_view>

namespace hexin::cli {

enum class LogLevel { error, warning, info, debug };

void setLogLevel(LogLevel level);
LogLevel logLevel();

/// Writes "hexin: <level>: <message>" when `level` is not above the one set.
void log(LogLevel level, std::string_view message);

} // namespace hexin::cli

#endif // HEXIN_RUNTIME_TOOLS_LOG_H
