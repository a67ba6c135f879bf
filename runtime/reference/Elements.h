//===- Elements.h - elements of any type as the types kernels compute in ---===//
//
// Kernels are written over three wide types and never over storage types:
//   double    f64 f32 f16 bf16, the f8 types, f4e2m1
//   int64_t   bool and every integer but u64 (zero- or sign-extended)
//   uint64_t  u64
// Loads are exact. Stores of doubles round once; stores of integers keep the low
// bits, which is how integers wrap.
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_RUNTIME_REFERENCE_ELEMENTS_H
#define HEXIN_RUNTIME_REFERENCE_ELEMENTS_H

#include "hexin/value.h"
#include "runtime/base/Float16.h"

#include <string>
#include <vector>

namespace hexin::reference {

enum class Domain { floating, integer, opaque };

/// opaque: complex numbers and strings, which are only moved.
Domain domainOf(DType dtype);

/// Elements start, start + stride, ... (`count` of them) of the memory at `base`.
void loadElements(DType dtype, const void *base, int64_t start, int64_t stride,
                  int64_t count, double *dst);
void loadElements(DType dtype, const void *base, int64_t start, int64_t stride,
                  int64_t count, int64_t *dst);
void loadElements(DType dtype, const void *base, int64_t start, int64_t stride,
                  int64_t count, uint64_t *dst);

/// `count` elements from `start` on. Doubles to an integer type convert as
/// hx.cast does: truncation, saturation to 32 or 64 bits, NaN gives 0, narrower
/// types take the low bits of the i32; to bool: x != 0.
void storeElements(DType dtype, void *base, int64_t start, int64_t count,
                   const double *src);
void storeElements(DType dtype, void *base, int64_t start, int64_t count,
                   const int64_t *src);
void storeElements(DType dtype, void *base, int64_t start, int64_t count,
                   const uint64_t *src);

/// An integer as a double that still rounds right to any narrower float type:
/// above 2^53 the lowest bit remembers what was cut off.
double toDoubleForRounding(int64_t value);
double toDoubleForRounding(uint64_t value);

/// A tensor's elements as W: a view when they are stored so, else a copy.
template <typename W> class Wide {
public:
  explicit Wide(const Tensor &tensor);
  const W *data() const { return data_; }
  const W &operator[](int64_t i) const { return data_[i]; }

private:
  std::vector<W> copy_;
  const W *data_;
};

/// Calls fn(W()) with the wide type that `dtype` computes in, or returns the
/// unsupported error. `fn` returns a Result or Status.
template <typename Fn> auto visitWide(DType dtype, Fn fn) -> decltype(fn(double())) {
  switch (domainOf(dtype)) {
  case Domain::floating:
    return fn(double());
  case Domain::integer:
    return dtype == DType::u64 ? fn(uint64_t()) : fn(int64_t());
  case Domain::opaque:
    break;
  }
  return unsupported("elements of type " + std::string(toString(dtype)) +
                     " can only be moved, not computed with");
}

} // namespace hexin::reference

#endif // HEXIN_RUNTIME_REFERENCE_ELEMENTS_H
