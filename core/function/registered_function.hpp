#pragma once

#include <string_view>

#include <wyvern/core/function/callable.hpp>
#include <wyvern/core/function/trampoline.hpp>

namespace wyvern {

/// A function that travels by name, between different executables. Define it with the same name and the same
/// signature in each of them, as a global object, for instance in a header that they share:
///
///     inline const wyvern::RegisteredFunction upper{"text/upper", [](std::string text) { return
///     to_upper(text); }};
///
/// and use it where a `Function` of exactly the lambda's signature is expected. Two functions with one name
/// and signature in a program end it before main, with a message. Executables of different compilers agree on
/// signatures of user types, standard strings and most, but not all, other types.
template <class C>
class RegisteredFunction {
 public:
  static_assert(detail::Stateless<C>,
                "wyvern: only a stateless callable can be registered: a lambda without captures or "
                "wyvern::function<f>");
  static_assert(detail::HasSignature<C>, "wyvern: a registered callable must not be generic");
  using Type = typename detail::Signature<C>::Type;

  RegisteredFunction(std::string_view name, C)
      : registration_(name, reinterpret_cast<void (*)()>(&detail::StatelessTrampoline<C, Type>::call),
                      type_hash<Type>()) {}

  const detail::FunctionRecord& record() const { return registration_.record(); }

 private:
  detail::FunctionRegistration registration_;
};

}  // namespace wyvern
