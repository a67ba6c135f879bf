//===- Lines.h - a tensor as lines along one axis ---------------------------===//
#ifndef HEXIN_RUNTIME_REFERENCE_LINES_H
#define HEXIN_RUNTIME_REFERENCE_LINES_H

#include "runtime/reference/Strided.h"

namespace hexin::reference {

/// [outer, length, inner]: element k of a line is `first + k * inner`.
struct Lines {
  int64_t outer, length, inner;

  Lines(std::span<const int64_t> dims, size_t axis)
      : outer(product(dims, 0, axis)), length(dims[axis]),
        inner(product(dims, axis + 1, dims.size())) {
    // With an empty tensor there are no lines, however long the other axes.
    if (product(dims, 0, dims.size()) == 0)
      outer = inner = 0;
  }

  int64_t count() const { return outer * inner; }

  /// fn(line number in row-major order of the other axes, its first element).
  template <typename Fn> void forEach(Fn fn) const {
    for (int64_t o = 0; o < outer; ++o)
      for (int64_t i = 0; i < inner; ++i)
        fn(o * inner + i, o * length * inner + i);
  }
};

} // namespace hexin::reference

#endif // HEXIN_RUNTIME_REFERENCE_LINES_H
