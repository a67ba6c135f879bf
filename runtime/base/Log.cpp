#include "hexin/log.h"

#include <array>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <string>

namespace hexin {
namespace {

constexpr const char *levelVariable = "HEXIN_LOG_LEVEL";
constexpr std::array<std::string_view, 5> levelNames = {"off", "error", "warning", "info",
                                                        "debug"};

void writeToStderr(LogLevel level, std::string_view message) {
  std::string_view name = toString(level);
  // One call, so that lines of several threads stay whole.
  std::fprintf(stderr, "hexin: %.*s: %.*s\n", static_cast<int>(name.size()), name.data(),
               static_cast<int>(message.size()), message.data());
}

struct Logging {
  Logging() {
    const char *asked = std::getenv(levelVariable);
    if (!asked || !*asked)
      return;
    if (std::optional<LogLevel> parsed = parseLogLevel(asked))
      level = *parsed;
    else
      writeToStderr(LogLevel::warning,
                    std::string(levelVariable) + " is '" + asked +
                        "'; expected off, error, warning, info or debug");
  }

  std::atomic<LogLevel> level = LogLevel::warning;
  std::mutex mutex; // guards the pointer, not the sink
  std::shared_ptr<const LogSink> sink;
};

Logging &logging() {
  // Never destroyed: destructors of other objects may have something to say.
  static auto *state = new Logging;
  return *state;
}

} // namespace

std::string_view toString(LogLevel level) {
  auto index = static_cast<size_t>(level);
  return index < levelNames.size() ? levelNames[index] : "unknown";
}

std::optional<LogLevel> parseLogLevel(std::string_view name) {
  for (size_t i = 0; i < levelNames.size(); ++i)
    if (levelNames[i] == name)
      return static_cast<LogLevel>(i);
  return std::nullopt;
}

void setLogLevel(LogLevel level) { logging().level = level; }
LogLevel logLevel() { return logging().level.load(std::memory_order_relaxed); }

void setLogSink(LogSink sink) {
  auto next = sink ? std::make_shared<const LogSink>(std::move(sink)) : nullptr;
  std::lock_guard lock(logging().mutex);
  logging().sink.swap(next);
}

void log(LogLevel level, std::string_view message) {
  if (level == LogLevel::off || level > logLevel())
    return;
  std::shared_ptr<const LogSink> sink;
  {
    std::lock_guard lock(logging().mutex);
    sink = logging().sink;
  }
  if (sink)
    (*sink)(level, message);
  else
    writeToStderr(level, message);
}

} // namespace hexin
