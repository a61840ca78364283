// How an operation becomes a function of the addon. An operation is a method of a primitive, or a
// function whose first parameter is the native object: the one whose place JavaScript has written
// (natives.h). The first argument of the call is its External, so that it is not collected
// meanwhile, and is not read. The other parameters are the arguments behind it; they and the result
// are converted by their types (convert.h). One number alone is not read from there: JavaScript has
// written it beside the place.
//
//   Binder<core::Event> event(env);
//   event.method<&core::Event::happened>("happened");  // happened(object, since): boolean
#ifndef HOLDFAST_ADDON_OPERATION_H
#define HOLDFAST_ADDON_OPERATION_H

#include <utility>

#include "addon/convert.h"

namespace holdfast::addon {

// A short operation in a critical section: tried again for as long as an open would wait.
template <class Operation>
core::Code until_not_busy(Operation operation) {
  core::Code code = operation();
  if (code != core::Code::busy) return code;
  const int64_t deadline_ns = platform::monotonic_ns() + 10'000 * platform::kNanosPerMilli;
  while (code == core::Code::busy && platform::monotonic_ns() < deadline_ns) code = operation();
  return code;
}

// Does an operation acquire, put, get or wait for something? Such a one is refused when the files
// of its object were removed by hand: a newcomer has no part in it. One that gives back or tells
// something is always possible.
enum class Needs { nothing, files };

template <class... A>
constexpr bool kTakesNumber = false;
template <class A>
constexpr bool kTakesNumber<A> = std::is_arithmetic_v<A> && !std::is_same_v<A, bool>;

template <class Primitive, auto kOperation, Needs kNeeds>
class Operation {
 public:
  static napi_value call(napi_env env, napi_callback_info info) {
    return call_as(env, info, kOperation);
  }

 private:
  // The type of the operation says what it takes and returns.
  template <class R, class P, class... A>
  static napi_value call_as(napi_env env, napi_callback_info info, R (P::*)(A...)) {
    return run<R, Native<Primitive>, A...>(env, info, std::index_sequence_for<A...>());
  }
  template <class R, class P, class... A>
  static napi_value call_as(napi_env env, napi_callback_info info, R (P::*)(A...) const) {
    return run<R, Native<Primitive>, A...>(env, info, std::index_sequence_for<A...>());
  }
  template <class R, class N, class... A>
  static napi_value call_as(napi_env env, napi_callback_info info, R (*)(N&, A...)) {
    return run<R, N, A...>(env, info, std::index_sequence_for<A...>());
  }

  template <class R, class N, class... A, size_t... kIndex>
  static napi_value run(napi_env env, napi_callback_info info, std::index_sequence<kIndex...>) {
    size_t count = 1 + sizeof...(A);
    [[maybe_unused]] napi_value arguments[1 + sizeof...(A)];
    void* data = nullptr;
    if constexpr (sizeof...(A) == 0 || kTakesNumber<A...>) {
      napi_get_cb_info(env, info, nullptr, nullptr, nullptr, &data);
    } else {
      napi_get_cb_info(env, info, &count, arguments, nullptr, &data);
    }
    const auto& natives = *static_cast<const Natives*>(data);
    N* native = open_native<N>(env, natives.subject());
    if (native == nullptr) return nullptr;
    if constexpr (kNeeds == Needs::files) {
      if (!native->check_not_removed()) return nullptr;
    }
    const auto operate = [&]() -> R {
      if constexpr (kTakesNumber<A...>) {
        return invoke(*native, from_number<A>(natives.number())...);
      } else {
        return invoke(*native, from_js<A>(env, arguments[1 + kIndex])...);
      }
    };
    if constexpr (std::is_void_v<R>) {
      operate();
      return nullptr;
    } else if constexpr (std::is_same_v<R, core::Code>) {
      return to_js(env, *native, until_not_busy(operate));
    } else {
      return to_js(env, *native, operate());
    }
  }

  template <class N, class... A>
  static decltype(auto) invoke(N& native, A... arguments) {
    if constexpr (std::is_member_function_pointer_v<decltype(kOperation)>) {
      return (native.primitive.*kOperation)(arguments...);
    } else {
      return kOperation(native, arguments...);
    }
  }
};

// Makes the functions of one kind: an object with one function for each operation.
template <class Primitive>
class Binder {
 public:
  explicit Binder(napi_env env) : env_(env) { napi_create_object(env, &value_); }

  template <auto kOperation, Needs kNeeds = Needs::nothing>
  Binder& method(const char* name) {
    Natives* const natives = &Environment::from(env_)->natives();
    napi_value made = nullptr;
    napi_create_function(env_, name, NAPI_AUTO_LENGTH,
                         Operation<Primitive, kOperation, kNeeds>::call, natives, &made);
    napi_set_named_property(env_, value_, name, made);
    return *this;
  }

  // Functions that belong together, as an object in the object.
  Binder& group(const char* name, const Binder& functions) {
    napi_set_named_property(env_, value_, name, functions.value_);
    return *this;
  }

  napi_env env() const { return env_; }
  napi_value value() const { return value_; }

 private:
  napi_env env_;
  napi_value value_ = nullptr;
};

// How one kind crosses to JavaScript.
struct KindBinding {
  core::Kind kind;
  const char* name;                                           // of its class
  napi_value (*functions)(napi_env env);                      // made when the addon is loaded
  NativeObject* (*make_native)(Environment&, core::Object*);  // made for each object that is opened
};

template <class N>
NativeObject* make_native(Environment& environment, core::Object* object) {
  return new N(environment, object);
}

}  // namespace holdfast::addon

#endif
