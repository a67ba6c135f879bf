#include "runtime/reference/Elements.h"

#include <cmath>
#include <limits>
#include <type_traits>

namespace hexin::reference {
namespace {

int8_t signedLowBits(uint8_t value, int bits) {
  return int8_t(int8_t(uint8_t(value << (8 - bits))) >> (8 - bits));
}

template <typename S, typename W, typename Decode>
void loadAs(const void *base, int64_t start, int64_t stride, int64_t count, W *dst,
            Decode decode) {
  const S *src = static_cast<const S *>(base) + start;
  if (stride == 1) {
    for (int64_t i = 0; i < count; ++i)
      dst[i] = decode(src[i]);
  } else {
    for (int64_t i = 0; i < count; ++i)
      dst[i] = decode(src[i * stride]);
  }
}

template <typename S, typename W, typename Encode>
void storeAs(void *base, int64_t start, int64_t count, const W *src, Encode encode) {
  S *dst = static_cast<S *>(base) + start;
  for (int64_t i = 0; i < count; ++i)
    dst[i] = encode(src[i]);
}

template <typename W>
void loadAny(DType dtype, const void *base, int64_t start, int64_t stride, int64_t count,
             W *dst) {
  auto plain = [&](auto storage) {
    using S = decltype(storage);
    loadAs<S>(base, start, stride, count, dst, [](S x) { return W(x); });
  };
  switch (dtype) {
  case DType::boolean:
    return loadAs<uint8_t>(base, start, stride, count, dst,
                           [](uint8_t x) { return W(x != 0); });
  case DType::i8:
    return plain(int8_t());
  case DType::u8:
    return plain(uint8_t());
  // Below 8 bits only the low bits of the byte count.
  case DType::i4:
    return loadAs<uint8_t>(base, start, stride, count, dst,
                           [](uint8_t x) { return W(signedLowBits(x, 4)); });
  case DType::i2:
    return loadAs<uint8_t>(base, start, stride, count, dst,
                           [](uint8_t x) { return W(signedLowBits(x, 2)); });
  case DType::u4:
    return loadAs<uint8_t>(base, start, stride, count, dst,
                           [](uint8_t x) { return W(x & 15); });
  case DType::u2:
    return loadAs<uint8_t>(base, start, stride, count, dst,
                           [](uint8_t x) { return W(x & 3); });
  case DType::i16:
    return plain(int16_t());
  case DType::u16:
    return plain(uint16_t());
  case DType::i32:
    return plain(int32_t());
  case DType::u32:
    return plain(uint32_t());
  case DType::i64:
    return plain(int64_t());
  case DType::u64:
    return plain(uint64_t());
  default:
    break;
  }
  if constexpr (std::is_same_v<W, double>) {
    switch (dtype) {
    case DType::f64:
      return plain(double());
    case DType::f32:
      return plain(float());
    case DType::f16:
      return loadAs<uint16_t>(base, start, stride, count, dst, f16ToF32);
    case DType::bf16:
      return loadAs<uint16_t>(base, start, stride, count, dst, bf16ToF32);
    default:
      return loadAs<uint8_t>(base, start, stride, count, dst,
                             [=](uint8_t x) { return narrowToF32(x, dtype); });
    }
  }
}

/// Low bits of an integer in an element of `dtype`.
void storeLowBits(DType dtype, void *base, int64_t start, int64_t count,
                  const int64_t *src) {
  auto plain = [&](auto storage) {
    using S = decltype(storage);
    storeAs<S>(base, start, count, src, [](int64_t x) { return S(x); });
  };
  switch (dtype) {
  case DType::i16:
  case DType::u16:
    return plain(int16_t());
  case DType::i32:
  case DType::u32:
    return plain(int32_t());
  case DType::i64:
  case DType::u64:
    return plain(int64_t());
  case DType::i4:
    return storeAs<int8_t>(base, start, count, src,
                           [](int64_t x) { return signedLowBits(uint8_t(x), 4); });
  case DType::i2:
    return storeAs<int8_t>(base, start, count, src,
                           [](int64_t x) { return signedLowBits(uint8_t(x), 2); });
  case DType::u4:
    return storeAs<uint8_t>(base, start, count, src,
                            [](int64_t x) { return uint8_t(x & 15); });
  case DType::u2:
    return storeAs<uint8_t>(base, start, count, src,
                            [](int64_t x) { return uint8_t(x & 3); });
  case DType::boolean:
    return storeAs<uint8_t>(base, start, count, src,
                            [](int64_t x) { return uint8_t(x & 1); });
  default:
    return plain(int8_t());
  }
}

template <typename I> I saturate(double value) {
  if (std::isnan(value))
    return 0;
  // Both limits of I as doubles; the upper one rounds up to a power of two.
  constexpr double low = double(std::numeric_limits<I>::min());
  constexpr double high = double(std::numeric_limits<I>::max());
  if (value <= low)
    return std::numeric_limits<I>::min();
  if (value >= high)
    return std::numeric_limits<I>::max();
  return I(value);
}

void storeTruncated(DType dtype, void *base, int64_t start, int64_t count,
                    const double *src) {
  switch (dtype) {
  case DType::boolean:
    return storeAs<uint8_t>(base, start, count, src,
                            [](double x) { return uint8_t(x != 0); });
  case DType::i64:
    return storeAs<int64_t>(base, start, count, src, saturate<int64_t>);
  case DType::u64:
    return storeAs<uint64_t>(base, start, count, src, saturate<uint64_t>);
  case DType::i32:
    return storeAs<int32_t>(base, start, count, src, saturate<int32_t>);
  case DType::u32:
    return storeAs<uint32_t>(base, start, count, src, saturate<uint32_t>);
  default:
    for (int64_t i = 0; i < count; ++i) {
      int64_t value = saturate<int32_t>(src[i]);
      storeLowBits(dtype, base, start + i, 1, &value);
    }
  }
}

} // namespace

Domain domainOf(DType dtype) {
  switch (dtype) {
  case DType::f16:
  case DType::bf16:
  case DType::f32:
  case DType::f64:
  case DType::f8e4m3fn:
  case DType::f8e4m3fnuz:
  case DType::f8e5m2:
  case DType::f8e5m2fnuz:
  case DType::f8e8m0:
  case DType::f4e2m1:
    return Domain::floating;
  case DType::c64:
  case DType::c128:
  case DType::string:
    return Domain::opaque;
  default:
    return Domain::integer;
  }
}

void loadElements(DType dtype, const void *base, int64_t start, int64_t stride,
                  int64_t count, double *dst) {
  loadAny(dtype, base, start, stride, count, dst);
}
void loadElements(DType dtype, const void *base, int64_t start, int64_t stride,
                  int64_t count, int64_t *dst) {
  loadAny(dtype, base, start, stride, count, dst);
}
void loadElements(DType dtype, const void *base, int64_t start, int64_t stride,
                  int64_t count, uint64_t *dst) {
  loadAny(dtype, base, start, stride, count, dst);
}

void storeElements(DType dtype, void *base, int64_t start, int64_t count,
                   const double *src) {
  switch (dtype) {
  case DType::f64:
    return storeAs<double>(base, start, count, src, [](double x) { return x; });
  case DType::f32:
    return storeAs<float>(base, start, count, src, [](double x) { return float(x); });
  case DType::f16:
    return storeAs<uint16_t>(base, start, count, src, f64ToF16);
  case DType::bf16:
    return storeAs<uint16_t>(base, start, count, src, f64ToBf16);
  default:
    if (domainOf(dtype) == Domain::integer)
      return storeTruncated(dtype, base, start, count, src);
    return storeAs<uint8_t>(base, start, count, src,
                            [=](double x) { return f64ToNarrow(x, dtype); });
  }
}

void storeElements(DType dtype, void *base, int64_t start, int64_t count,
                   const int64_t *src) {
  if (domainOf(dtype) != Domain::floating)
    return storeLowBits(dtype, base, start, count, src);
  for (int64_t i = 0; i < count; ++i) {
    double value = dtype == DType::f64 ? double(src[i]) : toDoubleForRounding(src[i]);
    storeElements(dtype, base, start + i, 1, &value);
  }
}

void storeElements(DType dtype, void *base, int64_t start, int64_t count,
                   const uint64_t *src) {
  if (domainOf(dtype) != Domain::floating)
    return storeLowBits(dtype, base, start, count,
                        reinterpret_cast<const int64_t *>(src));
  for (int64_t i = 0; i < count; ++i) {
    double value = dtype == DType::f64 ? double(src[i]) : toDoubleForRounding(src[i]);
    storeElements(dtype, base, start + i, 1, &value);
  }
}

double toDoubleForRounding(uint64_t value) {
  if (value < uint64_t(1) << 53)
    return double(value);
  return double((value >> 11) | ((value & 2047) != 0)) * 2048.0;
}

double toDoubleForRounding(int64_t value) {
  // Negated as unsigned: the smallest integer has no positive counterpart.
  return value < 0 ? -toDoubleForRounding(~uint64_t(value) + 1)
                   : toDoubleForRounding(uint64_t(value));
}

template <typename W> Wide<W>::Wide(const Tensor &tensor) {
  bool isView = std::is_same_v<W, double>    ? tensor.dtype() == DType::f64
                : std::is_same_v<W, int64_t> ? tensor.dtype() == DType::i64
                                             : tensor.dtype() == DType::u64;
  if (isView) {
    data_ = tensor.as<W>();
    return;
  }
  copy_.resize(size_t(tensor.numElements()));
  loadElements(tensor.dtype(), tensor.data(), 0, 1, tensor.numElements(), copy_.data());
  data_ = copy_.data();
}

template class Wide<double>;
template class Wide<int64_t>;
template class Wide<uint64_t>;

} // namespace hexin::reference
