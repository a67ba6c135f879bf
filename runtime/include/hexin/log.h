//===- hexin/log.h - what the library says of its work ----------------------===//
//
// Results and failures are return values; messages only tell how things went:
// which backend was loaded, and why another was not, which code was chosen, what
// a plan or a compile took. At the level that holds at first, warning, the
// library says nothing in ordinary work.
//
//   hexin::setLogLevel(hexin::LogLevel::info);
//   hexin::setLogSink([](hexin::LogLevel level, std::string_view message) { ... });
//
// One level and one sink per process. Thread-safe.
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_LOG_H
#define HEXIN_LOG_H

#include "hexin/status.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>

namespace hexin {

/// The greater, the more is said.
enum class LogLevel : uint32_t {
  off = 0,
  error = 1,   ///< something is lost that no Status reports
  warning = 2, ///< it works, but not as it should
  info = 3,    ///< once per library, device, model, session or compile
  debug = 4,   ///< once per plan and compiler phase; never per run
};

/// "warning", ...
HEXIN_EXPORT std::string_view toString(LogLevel level);
/// The level of a name; none for another text.
HEXIN_EXPORT std::optional<LogLevel> parseLogLevel(std::string_view name);

/// Messages above `level` are not made. At first it is that of the environment
/// variable HEXIN_LOG_LEVEL, else warning.
HEXIN_EXPORT void setLogLevel(LogLevel level);
HEXIN_EXPORT LogLevel logLevel();

/// Takes one message, without a line's end. It is called from the thread that has
/// something to say, by several at once, and while the library holds locks: it
/// must not call the library, nor throw.
using LogSink = std::function<void(LogLevel level, std::string_view message)>;

/// Messages go to `sink` from now on; an empty one writes to stderr, as at first.
/// A call that is under way in another thread may still reach the old sink.
HEXIN_EXPORT void setLogSink(LogSink sink);

/// Says `message` the way the library does.
HEXIN_EXPORT void log(LogLevel level, std::string_view message);

} // namespace hexin

#endif // HEXIN_LOG_H
