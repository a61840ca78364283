// How a native object reaches JavaScript: as a plain object whose properties are functions bound to
// it. The state rides in each function's `data` pointer, so that a call unwraps nothing: 14 ns
// against 100 ns through a wrapped object.
//
// An acquisition is returned as one number: 0 not acquired, n the number of the hold, -n the same
// after a holder that died.
#ifndef HOLDFAST_ADDON_HANDLE_H
#define HOLDFAST_ADDON_HANDLE_H

#include <algorithm>
#include <type_traits>
#include <utility>
#include <vector>

#include "addon/environment.h"
#include "core/primitives/rlock.h"
#include "core/waiting/waiting.h"

namespace holdfast::addon {

inline napi_value number(napi_env env, double value) {
  napi_value result = nullptr;
  napi_create_double(env, value, &result);
  return result;
}

// When a wait of so many milliseconds returns to JavaScript at the latest.
inline int64_t slice_of(double wanted_ms) {
  const auto wanted_ns = static_cast<int64_t>(wanted_ms * platform::kNanosPerMilli);
  return platform::monotonic_ns() + std::min(wanted_ns, core::kSlice_ns);
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

// Does a Primitive have holds, which its agent must release?
template <class Primitive, class = void>
struct HasHolds : std::false_type {};
template <class Primitive>
struct HasHolds<Primitive, std::void_t<decltype(std::declval<Primitive&>().is_current_hold(0))>>
    : std::true_type {};

template <class Primitive>
class Handle : public HandleBase {
 public:
  Handle(core::Agent& agent, core::Object* object)
      : HandleBase(object), primitive(agent, *object) {}

  bool held() const override {
    if constexpr (kOwned) return primitive.is_held_by_caller();
    return false;
  }
  void abandon() override {
    if constexpr (kOwned) primitive.abandon();
  }

  void let_go() override {
    if constexpr (std::is_same_v<Primitive, core::RLock>) primitive.unlock_stray_mutex();
  }

  // Was something that the agent holds acquired through this handle?
  bool holds() const override {
    if constexpr (kOwned) {
      for (const uint64_t hold : more_holds_) {
        if (primitive.is_current_hold(hold)) return true;
      }
      return primitive.is_current_hold(hold_);
    }
    return false;
  }
  const core::Outcome& note(const core::Outcome& outcome) {
    if (!outcome) return outcome;
    if constexpr (kOwned) {
      if constexpr (Primitive::kManyHolds) {
        if (primitive.is_current_hold(hold_)) keep(hold_);
      }
    }
    hold_ = outcome.hold;
    return outcome;
  }

  core::Object& object() { return *object_; }
  Environment& environment() { return *environment_; }
  core::Agent& agent() { return environment_->agent(); }

  Primitive primitive;

 private:
  void keep(uint64_t hold) {
    if (more_holds_.size() >= forget_at_) {
      more_holds_.erase(
          std::remove_if(more_holds_.begin(), more_holds_.end(),
                         [this](uint64_t old) { return !primitive.is_current_hold(old); }),
          more_holds_.end());
      forget_at_ = 2 * more_holds_.size() + 8;
    }
    more_holds_.push_back(hold);
  }

  static constexpr bool kOwned = HasHolds<Primitive>::value;
  uint64_t hold_ = 0;                 // the last one
  std::vector<uint64_t> more_holds_;  // those before it that may still be held
  size_t forget_at_ = 8;
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
    return to_js(env, handle.note(handle.primitive.try_acquire_or_rescue()));
  }
  static napi_value try_free(napi_env env, H& handle, const double*) {
    return to_js(env, handle.note(handle.primitive.try_acquire()));
  }
  // wait(ms): blocks the thread for one slice at most, so that the caller returns to JavaScript
  // and a worker can be terminated.
  static napi_value wait(napi_env env, H& handle, const double* argument) {
    return to_js(env, handle.note(handle.primitive.wait(slice_of(argument[0]))));
  }
  static napi_value contend(napi_env, H& handle, const double*) {
    handle.primitive.body().contentions.fetch_add(1, std::memory_order_relaxed);
    return nullptr;
  }
};

// Something to be woken for. Each function is one line of NativeWaitable in
// src/native/bindings.ts. The functions of `Of` say which wait set of the object it is.
template <class Of>
struct Source {
  using H = Handle<typename Of::Primitive>;

  // enrol(index, waiting): see core/wait_set.h; index -1 for a first time.
  static napi_value enrol(napi_env env, H& handle, const double* argument) {
    core::Agent& agent = handle.agent();
    const int index =
        core::enrol_again(Of::set(handle.primitive), agent.registry(), agent.id(),
                          static_cast<uint32_t>(argument[1]), static_cast<int>(argument[0]));
    Of::watch(handle.primitive);
    return number(env, index);
  }
  // cancel(index): false if a wake-up is on its way to this agent.
  static napi_value cancel(napi_env env, H& handle, const double* argument) {
    return boolean(env, core::cancel(Of::set(handle.primitive), handle.agent().id(),
                                     static_cast<int>(argument[0])));
  }
  // spinBriefly(): has it come, or does it within a few microseconds?
  static napi_value soon(napi_env env, H& handle, const double*) {
    return boolean(env, Of::soon(handle.primitive));
  }
  static napi_value pass_on(napi_env, H& handle, const double*) {
    Of::pass_on(handle.primitive, handle.agent().registry());
    return nullptr;
  }
};

// The one wait set of an object that has only one.
template <class P>
struct Waiters {
  using Primitive = P;
  static core::WaitSet& set(P& primitive) { return primitive.waiters(); }
  static uint64_t tag(P& primitive) { return primitive.tag(); }
  static void watch(P& primitive) { primitive.watch(); }
  static bool soon(P& primitive) { return primitive.spin_briefly(); }
  static void pass_on(P& primitive, core::Registry& registry) {
    core::wake_one(primitive.waiters(), registry, primitive.tag());
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
          auto* collected = static_cast<Handle<Primitive>*>(data);
          // Keeps the environment alive past the deletion of a handle that was its last reference.
          const std::shared_ptr<Environment> kept = collected->shared_environment();
          kept->collect(collected);
        },
        nullptr, nullptr);
    napi_value name = nullptr;
    napi_create_string_utf8(env_, handle->object().posix_name().c_str(), NAPI_AUTO_LENGTH, &name);
    set(env_, value_, "posixName", name);

    using C = Common<Primitive>;
    add<C::may_close>("mayClose");
    add<C::close>("close");
    add<C::unlink>("unlink");
  }

  void add_acquirable() {
    using A = Acquirable<Primitive>;
    add<A::try_acquire>("tryAcquire");
    add<A::try_free>("tryFree");
    add<A::wait, 1>("wait");
    add<A::contend>("contend");
    add_source<Waiters<Primitive>>(value_);
  }

  template <class Of>
  void add_source(napi_value to) {
    set(env_, to, "tag", static_cast<double>(Of::tag(handle_->primitive)));
    add(to, "enrol", bound<Primitive, Source<Of>::enrol, 2>);
    add(to, "cancel", bound<Primitive, Source<Of>::cancel, 1>);
    add(to, "spinBriefly", bound<Primitive, Source<Of>::soon, 0>);
    add(to, "passOn", bound<Primitive, Source<Of>::pass_on, 0>);
  }
  // The same as an object of its own, for an object with several.
  template <class Of>
  void add_source(const char* name) {
    napi_value source = nullptr;
    napi_create_object(env_, &source);
    add_source<Of>(source);
    set(env_, value_, name, source);
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

// A short operation in the critical section, which is tried again for as long as an open would
// wait.
template <class Operation>
napi_value until_not_busy(HandleBase& handle, Environment& environment, Operation operation) {
  const int64_t deadline_ns = platform::monotonic_ns() + 10'000 * platform::kNanosPerMilli;
  core::Code code = operation();
  while (code == core::Code::busy && platform::monotonic_ns() < deadline_ns) code = operation();
  return code == core::Code::ok ? nullptr : environment.raise(code, handle);
}

// Who holds something, as inspect() shows it; null if that cannot be told any more.
inline napi_value describe(napi_env env, core::Registry& registry, core::AgentId id) {
  napi_value who = nullptr;
  napi_get_null(env, &who);
  if (core::AgentFacts facts; registry.describe(id, &facts)) {
    napi_create_object(env, &who);
    set(env, who, "pid", facts.pid);
    set(env, who, "threadId", facts.thread_id);
    napi_value name = nullptr;
    napi_create_string_utf8(env, facts.process_name.data(), facts.process_name.size(), &name);
    set(env, who, "processName", name);
  }
  return who;
}

// One function each in the file of that name.
napi_value bind_lock(Environment& environment, core::Object* object);
napi_value bind_rlock(Environment& environment, core::Object* object);
napi_value bind_semaphore(Environment& environment, core::Object* object);
napi_value bind_queue(Environment& environment, core::Object* object);
napi_value bind_joinable_queue(Environment& environment, core::Object* object);
napi_value bind_bounded_semaphore(Environment& environment, core::Object* object);
napi_value bind_read_write_lock(Environment& environment, core::Object* object);
napi_value bind_condition(Environment& environment, core::Object* object);
napi_value bind_event(Environment& environment, core::Object* object);
napi_value bind_barrier(Environment& environment, core::Object* object);
napi_value bind_shared_memory(Environment& environment, core::Object* object);

}  // namespace holdfast::addon

#endif
