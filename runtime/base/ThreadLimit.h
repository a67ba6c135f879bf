//===- ThreadLimit.h - how many threads one may ask for ------------------------------===//
#ifndef HEXIN_RUNTIME_BASE_THREADLIMIT_H
#define HEXIN_RUNTIME_BASE_THREADLIMIT_H

#include "hexin/status.h"

#include <cstdint>
#include <string>

namespace hexin {

/// More is a slip of the pen, whatever the machine.
constexpr uint32_t maxThreads = 4096;

inline Status checkThreads(uint32_t threads) {
  if (threads <= maxThreads)
    return Status::success();
  return invalidArgument("threads is " + std::to_string(threads) + ", expected 0 to " +
                         std::to_string(maxThreads));
}

} // namespace hexin

#endif // HEXIN_RUNTIME_BASE_THREADLIMIT_H
