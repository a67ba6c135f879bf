// How these examples handle errors: say what happened and end. A program that can
// go on looks at `status().code()` instead.
#ifndef OR_EXIT_H
#define OR_EXIT_H

#include <hexin/status.h>

#include <cstdio>
#include <cstdlib>
#include <utility>

inline void orExit(const hexin::Status &status) {
  if (status.ok())
    return;
  std::fprintf(stderr, "%s\n", status.toString().c_str());
  std::exit(1);
}

/// The value, or the end of the program.
template <typename T> T orExit(hexin::Result<T> result) {
  orExit(result.status());
  return *std::move(result);
}

#endif // OR_EXIT_H
