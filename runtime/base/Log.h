//===- Log.h - saying something only when somebody listens -------------------===//
#ifndef HEXIN_RUNTIME_BASE_LOG_H
#define HEXIN_RUNTIME_BASE_LOG_H

#include "hexin/log.h"

#include <chrono>
#include <cstdio>
#include <string>

namespace hexin {

/// Whether a message of `level` would be heard: ask before making it.
inline bool isLogged(LogLevel level) { return level <= logLevel(); }

/// Times something for a message: "12.3 ms".
class LogTimer {
public:
  std::string elapsed() const {
    std::chrono::duration<double, std::milli> time =
        std::chrono::steady_clock::now() - begin_;
    char text[32];
    std::snprintf(text, sizeof text, "%.1f ms", time.count());
    return text;
  }
  void restart() { begin_ = std::chrono::steady_clock::now(); }

private:
  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
};

} // namespace hexin

#endif // HEXIN_RUNTIME_BASE_LOG_H
