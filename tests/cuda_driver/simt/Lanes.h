//===- Lanes.h - handlers from functions of one lane --------------------------------===//
//
// `apply<f>` is the handler of an instruction that computes f lane by lane: the result
// goes to slot 0, the arguments come from slots 1, 2, ... The types of f are those of the
// lanes; bool is a predicate. An f that takes the Instruction first can look at its
// options. All 32 lanes are computed, for the compiler's sake, and those that are
// active are kept: f must be defined for all values.
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_TESTS_CUDA_DRIVER_SIMT_LANES_H
#define HEXIN_TESTS_CUDA_DRIVER_SIMT_LANES_H

#include "tests/cuda_driver/simt/Warp.h"

#include <cstring>
#include <tuple>
#include <type_traits>
#include <utility>

namespace standin {
namespace detail {

template <class F> struct Signature : Signature<decltype(&F::operator())> {};
template <class C, class R, class... A> struct Signature<R (C::*)(A...) const> {
  static constexpr bool seesInstruction = false;
  template <auto f> static Flow call(Warp &warp, const Instruction &i, uint32_t active);
};
template <class C, class R, class... A>
struct Signature<R (C::*)(const Instruction &, A...) const> {
  static constexpr bool seesInstruction = true;
  template <auto f> static Flow call(Warp &warp, const Instruction &i, uint32_t active);
};

template <class T> struct Source {
  const T *values;
  Source(Warp &warp, uint32_t slot) : values(warp.lanes<T>(slot)) {}
  T operator[](unsigned lane) const { return values[lane]; }
};
template <> struct Source<bool> {
  uint32_t bits;
  Source(Warp &warp, uint32_t slot) : bits(warp.predicate(slot)) {}
  bool operator[](unsigned lane) const { return bits >> lane & 1; }
};

template <class R>
void keep(Warp &warp, uint32_t slot, const R *values, uint32_t active) {
  if constexpr (std::is_same_v<R, bool>) {
    uint32_t bits = 0;
    for (unsigned lane = 0; lane < numLanes; ++lane)
      bits |= uint32_t(values[lane]) << lane;
    uint32_t &dst = warp.predicate(slot);
    dst = (dst & ~active) | (bits & active);
  } else {
    R *dst = warp.lanes<R>(slot);
    if (active == allLanes) {
      std::memcpy(dst, values, sizeof(R) * numLanes);
      return;
    }
    for (unsigned lane = 0; lane < numLanes; ++lane)
      dst[lane] = active >> lane & 1 ? values[lane] : dst[lane];
  }
}

template <auto f, class R, class... A, size_t... I>
Flow applyPlain(Warp &warp, const Instruction &i, uint32_t active,
                std::index_sequence<I...>) {
  std::tuple<Source<A>...> sources{Source<A>(warp, i.slot[1 + I])...};
  R values[numLanes];
  for (unsigned lane = 0; lane < numLanes; ++lane)
    values[lane] = f(std::get<I>(sources)[lane]...);
  keep(warp, i.slot[0], values, active);
  return Flow::Next;
}

template <auto f, class R, class... A, size_t... I>
Flow applySeeing(Warp &warp, const Instruction &i, uint32_t active,
                 std::index_sequence<I...>) {
  std::tuple<Source<A>...> sources{Source<A>(warp, i.slot[1 + I])...};
  R values[numLanes];
  for (unsigned lane = 0; lane < numLanes; ++lane)
    values[lane] = f(i, std::get<I>(sources)[lane]...);
  keep(warp, i.slot[0], values, active);
  return Flow::Next;
}

template <class C, class R, class... A>
template <auto f>
Flow Signature<R (C::*)(A...) const>::call(Warp &warp, const Instruction &i,
                                           uint32_t active) {
  return applyPlain<f, R, A...>(warp, i, active, std::index_sequence_for<A...>());
}
template <class C, class R, class... A>
template <auto f>
Flow Signature<R (C::*)(const Instruction &, A...) const>::call(Warp &warp,
                                                                const Instruction &i,
                                                                uint32_t active) {
  return applySeeing<f, R, A...>(warp, i, active, std::index_sequence_for<A...>());
}

} // namespace detail

template <auto f>
constexpr Handler apply = &detail::Signature<decltype(f)>::template call<f>;

} // namespace standin

#endif // HEXIN_TESTS_CUDA_DRIVER_SIMT_LANES_H
