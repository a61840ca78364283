// What Lock and RLock have in common in JavaScript.
#ifndef HOLDFAST_ADDON_OWNED_H
#define HOLDFAST_ADDON_OWNED_H

#include "addon/handle.h"

namespace holdfast::addon {

template <class Primitive>
struct Owned {
  using H = Handle<Primitive>;

  static napi_value release(napi_env, H& handle, const double*) {
    const core::Code code = handle.primitive.release();
    return code == core::Code::ok ? nullptr : handle.environment().raise(code, handle);
  }
  static napi_value release_hold(napi_env, H& handle, const double* argument) {
    const core::Code code = handle.primitive.release_hold(static_cast<uint64_t>(argument[0]));
    return code == core::Code::ok ? nullptr : handle.environment().raise(code, handle);
  }
  // What Condition needs: giveUp() releases a hold whole and returns its number, its depth being
  // depth(); resume(hold, depth) makes the hold that was just acquired again into it.
  static napi_value give_up(napi_env env, H& handle, const double*) {
    const uint64_t hold = handle.primitive.hold_number();
    core::Code code = handle.primitive.is_held_by_caller() ? core::Code::ok : core::Code::not_owner;
    for (uint32_t depth = handle.primitive.depth(); code == core::Code::ok && depth > 0; depth--) {
      code = handle.primitive.release();
    }
    if (code != core::Code::ok) return handle.environment().raise(code, handle);
    return number(env, static_cast<double>(hold));
  }
  static napi_value resume(napi_env, H& handle, const double* argument) {
    const core::Outcome again{static_cast<uint64_t>(argument[0]), false};
    handle.primitive.resume(again.hold, static_cast<uint32_t>(argument[1]));
    handle.note(again);
    return nullptr;
  }
  static napi_value held_by_me(napi_env env, H& handle, const double*) {
    return boolean(env, handle.primitive.is_held_by_caller());
  }
  static napi_value depth(napi_env env, H& handle, const double*) {
    return number(env, handle.primitive.depth());
  }
  // A dead owner does not lock anybody out.
  static napi_value locked(napi_env env, H& handle, const double*) {
    const core::AgentId owner = handle.primitive.owner();
    return boolean(env, owner != 0 && handle.agent().registry().alive(owner));
  }
  static napi_value inspect(napi_env env, H& handle, const double*) {
    core::OwnedBody& body = handle.primitive.body();
    core::Registry& registry = handle.agent().registry();
    const core::AgentId owner = handle.primitive.owner();
    const bool locked = owner != 0 && registry.alive(owner);
    napi_value state = nullptr;
    napi_create_object(env, &state);
    set(env, state, "locked", boolean(env, locked));
    set(env, state, "abandoned", boolean(env, owner != 0 && !locked));
    set(env, state, "owner", describe(env, registry, locked ? owner : 0));
    set(env, state, "waiters", core::count_waiting(body.waiters, registry));
    set(env, state, "acquisitions", static_cast<double>(body.acquisitions.load()));
    set(env, state, "contentions", static_cast<double>(body.contentions.load()));
    set(env, state, "abandonments", static_cast<double>(body.abandonments.load()));
    return state;
  }

  static napi_value bind(Environment& environment, core::Object* object) {
    Binder<Primitive> binder(environment, object);
    binder.add_acquirable();
    binder.template add<release>("release");
    binder.template add<release_hold, 1>("releaseHold");
    binder.template add<give_up>("giveUp");
    binder.template add<resume, 2>("resume");
    binder.template add<held_by_me>("heldByMe");
    binder.template add<depth>("depth");
    binder.template add<locked>("locked");
    binder.template add<inspect>("inspect");
    return binder.value();
  }
};

}  // namespace holdfast::addon

#endif
