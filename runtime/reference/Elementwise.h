//===- Elementwise.h - the scalar functions of the elementwise ops ---------===//
//
// Each function of the enums UnaryFn, BinaryFn, ComparePredicate and
// ActivationKind as a loop over wide elements (Elements.h). nullptr: the
// function does not exist for that wide type.
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_RUNTIME_REFERENCE_ELEMENTWISE_H
#define HEXIN_RUNTIME_REFERENCE_ELEMENTWISE_H

#include <cstdint>
#include <string_view>

namespace hexin::reference {

/// What of the storage type an integer function has to know.
struct ElementTraits {
  int bits = 64; ///< 1 for bool
  bool isSigned = true;
};

template <typename W>
using UnaryLoop = void (*)(const W *x, W *r, int64_t count, ElementTraits traits);
template <typename W> using TestLoop = void (*)(const W *x, int64_t *r, int64_t count);
template <typename W>
using BinaryLoop = void (*)(const W *a, const W *b, W *r, int64_t count,
                            ElementTraits traits);
template <typename W>
using CompareLoop = void (*)(const W *a, const W *b, int64_t *r, int64_t count);

template <typename W> UnaryLoop<W> findUnary(std::string_view fn);
template <typename W> BinaryLoop<W> findBinary(std::string_view fn);
template <typename W> CompareLoop<W> findCompare(std::string_view predicate);
/// is_nan, is_inf, is_pos_inf, is_neg_inf.
TestLoop<double> findTest(std::string_view fn);

/// Power of integers, wrapping; a negative exponent gives 0 unless base is +-1.
int64_t integerPower(int64_t base, int64_t exponent);

} // namespace hexin::reference

#endif // HEXIN_RUNTIME_REFERENCE_ELEMENTWISE_H
