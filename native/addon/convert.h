// Values on their way between JavaScript and C++. A method of the core is bound by its own type
// (operation.h); this file says what each type is in JavaScript.
#ifndef HOLDFAST_ADDON_CONVERT_H
#define HOLDFAST_ADDON_CONVERT_H

#include <algorithm>
#include <string>
#include <type_traits>

#include "addon/native_object.h"
#include "core/waiting/waiting.h"

namespace holdfast::addon {

// ---------------------------------------------------------------- C++ to JavaScript

inline napi_value number(napi_env env, double value) {
  napi_value result = nullptr;
  napi_create_double(env, value, &result);
  return result;
}

inline napi_value boolean(napi_env env, bool value) {
  napi_value result = nullptr;
  napi_get_boolean(env, value, &result);
  return result;
}

inline napi_value null(napi_env env) {
  napi_value result = nullptr;
  napi_get_null(env, &result);
  return result;
}

// What is below 0 is not known.
inline napi_value number_or_null(napi_env env, int64_t value) {
  return value < 0 ? null(env) : number(env, static_cast<double>(value));
}

inline napi_value text(napi_env env, const char* bytes, size_t length) {
  napi_value result = nullptr;
  napi_create_string_utf8(env, bytes, length, &result);
  return result;
}

inline napi_value to_js(napi_env, NativeObject&, napi_value value) { return value; }

inline napi_value to_js(napi_env env, NativeObject&, const std::string& value) {
  return text(env, value.data(), value.size());
}

// A number or an enum, or a boolean.
template <class T, class = std::enable_if_t<std::is_arithmetic_v<T> || std::is_enum_v<T>>>
napi_value to_js(napi_env env, NativeObject&, T value) {
  if constexpr (std::is_same_v<T, bool>) return boolean(env, value);
  return number(env, static_cast<double>(value));
}

// An error unless all went well.
inline napi_value to_js(napi_env, NativeObject& native, core::Code code) {
  return code == core::Code::ok ? nullptr : native.environment().raise(code, native);
}

inline napi_value to_js(napi_env, NativeObject& native, const core::Status& status) {
  return status.ok() ? nullptr : native.environment().raise(status, native);
}

// 0: not acquired. n: the number of the hold. -n: the same, and the last holder died. Where there
// are no holds: whether it was acquired.
template <class Primitive>
napi_value to_js(napi_env env, Native<Primitive>& native, const core::Outcome& outcome) {
  if constexpr (!HasHolds<Primitive>::value) return boolean(env, static_cast<bool>(outcome));
  native.note(outcome);
  const double hold = static_cast<double>(outcome.hold);
  return number(env, outcome.abandoned ? -hold : hold);
}

// ---------------------------------------------------------------- JavaScript to C++

// Any number type but int64_t is a number of JavaScript. In the methods of the core an int64_t is
// the deadline of a wait. Its caller gives milliseconds; the wait returns to JavaScript after one
// slice at the latest.
template <class T>
T from_number(double value) {
  if constexpr (std::is_same_v<T, int64_t>) {
    const auto wanted_ns = static_cast<int64_t>(value * platform::kNanosPerMilli);
    return platform::monotonic_ns() + std::min(wanted_ns, core::kSlice_ns);
  } else {
    return static_cast<T>(value);
  }
}

template <class T>
T from_js(napi_env env, napi_value value) {
  if constexpr (std::is_same_v<T, napi_value>) {
    return value;
  } else if constexpr (std::is_same_v<T, bool>) {
    bool result = false;
    napi_get_value_bool(env, value, &result);
    return result;
  } else {
    double result = 0;
    napi_get_value_double(env, value, &result);
    return from_number<T>(result);
  }
}

// ---------------------------------------------------------------- what inspect() returns

// A plain object that is filled field by field.
class State {
 public:
  explicit State(napi_env env) : env_(env) { napi_create_object(env, &value_); }

  State& set(const char* key, napi_value value) {
    napi_set_named_property(env_, value_, key, value);
    return *this;
  }
  template <class T, class = std::enable_if_t<std::is_arithmetic_v<T>>>
  State& set(const char* key, T value) {
    if constexpr (std::is_same_v<T, bool>) return set(key, boolean(env_, value));
    return set(key, number(env_, static_cast<double>(value)));
  }
  napi_value value() const { return value_; }

 private:
  napi_env env_;
  napi_value value_ = nullptr;
};

// How long the longest of so many waiters has waited, as inspect() tells it: 0 below a slice, null
// if nobody waits.
inline napi_value longest_wait(napi_env env, core::Registry& registry, core::WaitSet& set,
                               uint32_t waiters) {
  const int64_t known_ms = core::longest_wait_ms(set, registry);
  return number_or_null(env, known_ms < 0 && waiters > 0 ? 0 : known_ms);
}

// Who holds something.
inline State describe(napi_env env, const core::AgentFacts& facts) {
  return State(env)
      .set("pid", facts.pid)
      .set("threadId", facts.thread_id)
      .set("processName", text(env, facts.process_name.data(), facts.process_name.size()));
}

// The same; null if that cannot be told any more.
inline napi_value describe(napi_env env, core::Registry& registry, core::AgentId id) {
  core::AgentFacts facts;
  return registry.describe(id, &facts) ? describe(env, facts).value() : null(env);
}

}  // namespace holdfast::addon

#endif
