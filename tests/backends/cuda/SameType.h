//===- SameType.h - whether our declaration is the toolkit's --------------------------===//
//
// Our declarations have plain integers where the toolkit has enums, and `void *` for some
// of its handles: those must be of their size, all else the same.
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_TESTS_BACKENDS_CUDA_SAMETYPE_H
#define HEXIN_TESTS_BACKENDS_CUDA_SAMETYPE_H

#include <type_traits>

namespace hexin::test {

template <typename Ours, typename Theirs> constexpr bool isAlike() {
  if constexpr (std::is_same_v<Ours, Theirs>)
    return true;
  else if constexpr (std::is_pointer_v<Ours> && std::is_pointer_v<Theirs>) {
    using O = std::remove_pointer_t<Ours>;
    using T = std::remove_pointer_t<Theirs>;
    return std::is_const_v<O> == std::is_const_v<T> &&
           isAlike<std::remove_const_t<O>, std::remove_const_t<T>>();
  } else if constexpr (std::is_integral_v<Ours> && std::is_enum_v<Theirs>)
    return sizeof(Ours) == sizeof(Theirs);
  else if constexpr (std::is_void_v<Ours>) // a handle's
    return std::is_class_v<Theirs>;
  else if constexpr (std::is_class_v<Ours> && std::is_class_v<Theirs>)
    return sizeof(Ours) == sizeof(Theirs) && alignof(Ours) == alignof(Theirs);
  else
    return false;
}

/// Of pointers to functions.
template <typename Ours, typename Theirs> struct IsAlikeFunction : std::false_type {};
template <typename R, typename... O, typename S, typename... T>
struct IsAlikeFunction<R (*)(O...), S (*)(T...)> {
  static constexpr bool value = [] {
    if constexpr (sizeof...(O) == sizeof...(T))
      return isAlike<R, S>() && (isAlike<O, T>() && ...);
    else
      return false;
  }();
};

} // namespace hexin::test

#endif // HEXIN_TESTS_BACKENDS_CUDA_SAMETYPE_H
