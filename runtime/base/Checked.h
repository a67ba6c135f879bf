//===- Checked.h - arithmetic on sizes that come from files and users ------===//
//
// Every size that is read from a file or passed by a caller goes through these:
// nullopt on overflow or on a negative size, never wrap-around.
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_RUNTIME_BASE_CHECKED_H
#define HEXIN_RUNTIME_BASE_CHECKED_H

#include <cstdint>
#include <optional>
#include <span>

namespace hexin {

inline std::optional<int64_t> checkedAdd(int64_t a, int64_t b) {
  int64_t r;
  if (__builtin_add_overflow(a, b, &r))
    return std::nullopt;
  return r;
}

inline std::optional<int64_t> checkedMul(int64_t a, int64_t b) {
  int64_t r;
  if (__builtin_mul_overflow(a, b, &r))
    return std::nullopt;
  return r;
}

/// Product of `dims` (1 for rank 0). A zero dim gives 0 even when the others
/// would overflow; nullopt for a negative dim or overflow.
inline std::optional<int64_t> checkedNumElements(std::span<const int64_t> dims) {
  bool isEmpty = false;
  for (int64_t dim : dims) {
    if (dim < 0)
      return std::nullopt;
    isEmpty |= dim == 0;
  }
  if (isEmpty)
    return 0;
  int64_t n = 1;
  for (int64_t dim : dims)
    if (__builtin_mul_overflow(n, dim, &n))
      return std::nullopt;
  return n;
}

/// `value` rounded up to a multiple of `alignment` (a power of two).
inline std::optional<int64_t> checkedAlignUp(int64_t value, int64_t alignment) {
  auto sum = checkedAdd(value, alignment - 1);
  if (!sum)
    return std::nullopt;
  return *sum & ~(alignment - 1);
}

/// True when [offset, offset + length) lies inside [0, size).
inline bool rangeFits(uint64_t offset, uint64_t length, uint64_t size) {
  return offset <= size && length <= size - offset;
}

} // namespace hexin

#endif // HEXIN_RUNTIME_BASE_CHECKED_H
