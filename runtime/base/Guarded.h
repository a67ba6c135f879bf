//===- Guarded.h - the border that exceptions do not cross -----------------------===//
#ifndef HEXIN_RUNTIME_BASE_GUARDED_H
#define HEXIN_RUNTIME_BASE_GUARDED_H

#include "hexin/status.h"

#include <exception>
#include <new>
#include <type_traits>

namespace hexin {

/// Calls `body`, which returns a Status or a Result, for a public function. Ours
/// throws nothing on purpose; the standard library does when memory runs out.
template <typename Body> std::invoke_result_t<Body> guarded(Body &&body) {
  try {
    return body();
  } catch (const std::bad_alloc &) {
    return resourceExhausted("out of memory");
  } catch (const std::exception &error) {
    return internalError(error.what());
  }
}

} // namespace hexin

#endif // HEXIN_RUNTIME_BASE_GUARDED_H
