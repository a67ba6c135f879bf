#include "runtime/tools/Log.h"

#include <cstdio>

namespace hexin::cli {
namespace {

LogLevel currentLevel = LogLevel::warning;
constexpr const char *levelNames[] = {"error", "warning", "info", "debug"};

} // namespace

void setLogLevel(LogLevel level) { currentLevel = level; }
LogLevel logLevel() { return currentLevel; }

void log(LogLevel level, std::string_view message) {
  if (level > currentLevel)
    return;
  std::fprintf(stderr, "hexin: %s: %.*s\n", levelNames[static_cast<int>(level)],
               static_cast<int>(message.size()), message.data());
}

} // namespace hexin::cli
