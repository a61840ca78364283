// How a native object reaches JavaScript: as a plain object whose properties are functions bound to
// it. The state rides in each function's `data` pointer, so that a call unwraps nothing: 14 ns against
// 100 ns through a wrapped object.
//
// An acquisition is returned as one number: 0 not acquired, n the number of the hold, -n the same after
// a holder that died.
#ifndef HOLDFAST_ADDON_HANDLE_H
#define HOLDFAST_ADDON_HANDLE_H

#include <algorithm>
#include <type_traits>
#include <utility>

#include "addon/environment.h"
#include "core/waiting.h"

namespace holdfast::addon {

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

inline napi_value to_js(napi_env env, const core::Outcome& outcome) {
  const double hold = static_cast<double>(outcome.hold);
  return number(env, outcome.abandoned ? -hold : hold);
}

inline void set(napi_env env, napi_value object, const char* key, napi_value value) {
  napi_set_named_property(env, object, key, value);
}

inline void set(napi_env env, napi_value object, const char* key, double value) {
  set(env, object, key, number(env, value));
}

template <class Primitive>
class Handle : public HandleBase {
 public:
  Handle(core::Agent& agent, core::Object* object) : HandleBase(object), primitive(agent, *object) {}

  bool held() const override {
    if constexpr (kOwned) return primitive.held_by_me();
    return false;
  }
  void abandon() override {
    if constexpr (kOwned) primitive.abandon();
  }

  // Was what the agent holds acquired through this handle?
  bool holds() const override {
    if constexpr (kOwned) {
      return primitive.held_by_me() && primitive.hold_number() == hold_;
    }
    return false;
  }
  const core::Outcome& note(const core::Outcome& outcome) {
    if (outcome) hold_ = outcome.hold;
    return outcome;
  }

  core::Object& object() { return *object_; }
  Environment& environment() { return *environment_; }
  core::Agent& agent() { return environment_->agent(); }

  Primitive primitive;

 private:
  uint64_t hold_ = 0;
  using Body = std::decay_t<decltype(std::declval<Primitive&>().body())>;
  static constexpr bool kOwned = std::is_same_v<Body, core::OwnedBody>;
};

// A JS function whose data is a Handle<Primitive>. `kArguments` numbers at most.
template <class Primitive, napi_value (*kBody)(napi_env, Handle<Primitive>&, const double*),
          size_t kArguments>
napi_value bound(napi_env env, napi_callback_info info) {
  void* data = nullptr;
  double numbers[kArguments + 1] = {};
  if constexpr (kArguments == 0) {
    napi_get_cb_info(env, info, nullptr, nullptr, nullptr, &data);
  } else {
    size_t count = kArguments;
    napi_value arguments[kArguments];
    napi_get_cb_info(env, info, &count, arguments, nullptr, &data);
    for (size_t i = 0; i < kArguments; i++) napi_get_value_double(env, arguments[i], &numbers[i]);
  }
  auto& handle = *static_cast<Handle<Primitive>*>(data);
  if (!handle.is_open()) {
    return Environment::from(env)->raise(core::Code::closed, handle);
  }
  return kBody(env, handle, numbers);
}

// What can be waited for and acquired. Each is one line of native.ts' NativeAcquirable.
template <class Primitive>
struct Acquirable {
  using H = Handle<Primitive>;

  static napi_value try_acquire(napi_env env, H& handle, const double*) {
    return to_js(env, handle.note(handle.primitive.look()));
  }
  // wait(ms): blocks the thread for one slice at most, so that the caller returns to JavaScript
  // and a worker can be terminated.
  static napi_value wait(napi_env env, H& handle, const double* argument) {
    const auto wanted = static_cast<int64_t>(argument[0] * platform::kNanosPerMilli);
    return to_js(env, handle.note(handle.primitive.wait(platform::monotonic_ns() +
                                                        std::min(wanted, core::kSlice_ns))));
  }
  static napi_value contend(napi_env, H& handle, const double*) {
    handle.primitive.body().contentions.fetch_add(1, std::memory_order_relaxed);
    return nullptr;
  }
  // enrol(index, waiting): see core/wait_set.h; index -1 for a first time.
  static napi_value enrol(napi_env env, H& handle, const double* argument) {
    core::Agent& agent = handle.agent();
    return number(env, core::enrol_again(handle.primitive.waiters(), agent.registry(), agent.id(),
                                         static_cast<uint32_t>(argument[1]),
                                         static_cast<int>(argument[0])));
  }
  // cancel(index): false if a ring is on its way to this agent.
  static napi_value cancel(napi_env env, H& handle, const double* argument) {
    return boolean(env, core::cancel(handle.primitive.waiters(), handle.agent().id(),
                                     static_cast<int>(argument[0])));
  }
  static napi_value pass_on(napi_env, H& handle, const double*) {
    core::ring_one(handle.primitive.waiters(), handle.agent().registry(), handle.object().tag());
    return nullptr;
  }
};

// What all objects have. Each is one line of native.ts' NativeObject.
template <class Primitive>
struct Common {
  using H = Handle<Primitive>;

  static napi_value may_close(napi_env env, H& handle, const double*) {
    return boolean(env, handle.environment().may_close(&handle));
  }
  static napi_value close(napi_env, H& handle, const double*) {
    if (handle.environment().may_close(&handle)) handle.environment().close(&handle);
    return nullptr;
  }
  static napi_value unlink(napi_env, H& handle, const double*) {
    const core::Status status = handle.environment().store().unlink(&handle.object());
    return status.ok() ? nullptr : handle.environment().raise(status, handle);
  }
};

// Builds the JS object of a handle.
template <class Primitive>
class Binder {
 public:
  Binder(Environment& environment, core::Object* object)
      : Binder(environment, new Handle<Primitive>(environment.agent(), object)) {}

  // `handle` may be of a derived class; it belongs to the JS object from here on.
  Binder(Environment& environment, Handle<Primitive>* handle)
      : env_(environment.env()), handle_(handle) {
    environment.adopt(handle_);
    napi_create_object(env_, &value_);
    napi_wrap(
        env_, value_, handle_,
        [](napi_env, void* data, void*) {
          auto* handle = static_cast<Handle<Primitive>*>(data);
          // Keeps the environment alive past the deletion of a handle that was its last reference.
          const std::shared_ptr<Environment> environment = handle->shared_environment();
          environment->collect(handle);
        },
        nullptr, nullptr);
    napi_value name = nullptr;
    napi_create_string_utf8(env_, handle->object().header()->posix_name, NAPI_AUTO_LENGTH, &name);
    set(env_, value_, "posixName", name);

    using C = Common<Primitive>;
    add<C::may_close>("mayClose");
    add<C::close>("close");
    add<C::unlink>("unlink");
  }

  void add_acquirable() {
    using A = Acquirable<Primitive>;
    set(env_, value_, "tag", static_cast<double>(handle_->object().tag()));
    add<A::try_acquire>("tryAcquire");
    add<A::wait, 1>("wait");
    add<A::contend>("contend");
    add<A::enrol, 2>("enrol");
    add<A::cancel, 1>("cancel");
    add<A::pass_on>("passOn");
  }

  template <napi_value (*kBody)(napi_env, Handle<Primitive>&, const double*), size_t kArguments = 0>
  void add(const char* name) {
    add(name, bound<Primitive, kBody, kArguments>);
  }

  void add(const char* name, napi_callback callback) { add(value_, name, callback); }
  void add(napi_value to, const char* name, napi_callback callback) {
    napi_value function = nullptr;
    napi_create_function(env_, name, NAPI_AUTO_LENGTH, callback, handle_, &function);
    set(env_, to, name, function);
  }

  Handle<Primitive>& handle() { return *handle_; }
  napi_value value() const { return value_; }

 private:
  napi_env env_;
  Handle<Primitive>* handle_;
  napi_value value_ = nullptr;
};

// One function each in lock.cc, rlock.cc, semaphore.cc and queue.cc.
napi_value bind_lock(Environment& environment, core::Object* object);
napi_value bind_rlock(Environment& environment, core::Object* object);
napi_value bind_semaphore(Environment& environment, core::Object* object);
napi_value bind_queue(Environment& environment, core::Object* object);

}  // namespace holdfast::addon

#endif
