//===- Interval.h - bounds of sizes, wider than the sizes -------------------------===//
//
// Sums and products of 64-bit bounds are taken in 128 bits and stick at infinity,
// so no bound is ever tighter than the truth.
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_COMPILER_IR_INTERVAL_H
#define HEXIN_COMPILER_IR_INTERVAL_H

#include <algorithm>
#include <cstdint>

namespace hexin::hx {

using Wide = __int128;

struct Interval {
  static constexpr Wide infinity = Wide(1) << 100;

  Wide lower = -infinity, upper = infinity;

  static int64_t narrow(Wide bound) {
    return static_cast<int64_t>(std::clamp<Wide>(bound, INT64_MIN, INT64_MAX));
  }

  Interval intersect(Interval other) const {
    return {std::max(lower, other.lower), std::min(upper, other.upper)};
  }
  Interval unite(Interval other) const {
    return {std::min(lower, other.lower), std::max(upper, other.upper)};
  }
  Interval operator+(Interval other) const {
    bool isOpenBelow = lower <= -infinity || other.lower <= -infinity;
    bool isOpenAbove = upper >= infinity || other.upper >= infinity;
    return {isOpenBelow ? -infinity : clamp(lower + other.lower),
            isOpenAbove ? infinity : clamp(upper + other.upper)};
  }
  Interval operator*(Interval other) const {
    Wide corners[] = {product(lower, other.lower), product(lower, other.upper),
                      product(upper, other.lower), product(upper, other.upper)};
    auto [least, most] = std::minmax_element(std::begin(corners), std::end(corners));
    return {*least, *most};
  }
  /// Of floor(x / divisor), divisor > 0.
  Interval floorDiv(int64_t divisor) const {
    return {floorQuotient(lower, divisor), floorQuotient(upper, divisor)};
  }
  static Wide floorQuotient(Wide value, int64_t divisor) {
    if (value <= -infinity || value >= infinity)
      return value;
    return value / divisor - (value % divisor < 0);
  }
  static Wide ceilQuotient(Wide value, int64_t divisor) {
    return -floorQuotient(-value, divisor);
  }

private:
  static Wide clamp(Wide value) { return std::clamp<Wide>(value, -infinity, infinity); }
  static Wide product(Wide a, Wide b) {
    Wide result;
    if (a == 0 || b == 0)
      return 0;
    if (__builtin_mul_overflow(a, b, &result))
      return (a < 0) == (b < 0) ? infinity : -infinity;
    return clamp(result);
  }
};

} // namespace hexin::hx

#endif // HEXIN_COMPILER_IR_INTERVAL_H
