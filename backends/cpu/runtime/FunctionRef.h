//===- FunctionRef.h - a callable passed down the stack ---------------------===//
#ifndef HEXIN_BACKENDS_CPU_RUNTIME_FUNCTIONREF_H
#define HEXIN_BACKENDS_CPU_RUNTIME_FUNCTIONREF_H

#include <memory>
#include <type_traits>
#include <utility>

namespace hexin::cpu {

template <typename Signature> class FunctionRef;

/// Borrows a callable for the duration of a call; never allocates.
template <typename Return, typename... Args> class FunctionRef<Return(Args...)> {
public:
  template <typename Callable>
    requires(!std::is_same_v<std::remove_cvref_t<Callable>, FunctionRef>)
  FunctionRef(Callable &&callable)
      : object(const_cast<void *>(static_cast<const void *>(std::addressof(callable)))),
        call([](void *object, Args... args) -> Return {
          return (*static_cast<std::remove_reference_t<Callable> *>(object))(
              std::forward<Args>(args)...);
        }) {}

  Return operator()(Args... args) const {
    return call(object, std::forward<Args>(args)...);
  }

private:
  void *object;
  Return (*call)(void *, Args...);
};

} // namespace hexin::cpu

#endif // HEXIN_BACKENDS_CPU_RUNTIME_FUNCTIONREF_H
