// What Lock and RLock have in common in JavaScript.
#ifndef HOLDFAST_ADDON_OWNED_H
#define HOLDFAST_ADDON_OWNED_H

#include "addon/waiting.h"

namespace holdfast::addon {

template <class Primitive>
struct Owned {
  using N = Native<Primitive>;

  // What Condition needs: give_up() releases a hold whole and returns its number, its depth being
  // depth(); resume() makes the hold that was just acquired again into it.
  static napi_value give_up(N& native) {
    const uint64_t hold = native.primitive.hold_number();
    core::Code code = native.primitive.is_held_by_caller() ? core::Code::ok : core::Code::not_owner;
    for (uint32_t depth = native.primitive.depth(); code == core::Code::ok && depth > 0; depth--) {
      code = native.primitive.release();
    }
    if (code != core::Code::ok) return native.environment().raise(code, native);
    return number(native.environment().env(), static_cast<double>(hold));
  }
  static void resume(N& native, uint64_t hold, uint32_t depth) {
    native.primitive.resume(hold, depth);
    native.note({hold, false});
  }
  static bool locked(N& native) { return !native.primitive.is_free(); }
  static napi_value inspect(N& native) {
    napi_env env = native.environment().env();
    core::OwnedBody& body = native.primitive.body();
    core::Registry& registry = native.registry();
    const core::AgentId owner = native.primitive.owner();
    const bool locked = owner != 0 && registry.alive(owner);
    const uint32_t waiters = core::count_waiting(body.waiters, registry);
    const core::HeldSince since(body.held_since);
    return State(env)
        .set("locked", locked)
        .set("abandoned", owner != 0 && !locked)
        .set("owner", describe(env, registry, locked ? owner : 0))
        .set("heldFor", number_or_null(env, locked ? since.age_ms(body.acquisitions.load()) : -1))
        .set("waiters", waiters)
        .set("longestWait", longest_wait(env, registry, body.waiters, waiters))
        .set("acquisitions", body.acquisitions.load())
        .set("contentions", body.contentions.load())
        .set("abandonments", body.abandonments.load())
        .value();
  }

  static napi_value bind(napi_env env) {
    Binder<Primitive> binder(env);
    bind_acquirable<Primitive, DozingOperations>(binder);
    binder.template method<&Primitive::try_acquire_enrolled, Needs::files>("tryAcquireEnrolled");
    binder.template method<&Primitive::release>("release");
    binder.template method<&Primitive::release_hold>("releaseHold");
    binder.template method<give_up>("giveUp");
    binder.template method<resume>("resume");
    binder.template method<&Primitive::is_held_by_caller>("isHeldByCaller");
    binder.template method<&Primitive::depth>("depth");
    binder.template method<locked>("locked");
    binder.template method<inspect>("inspect");
    return binder.value();
  }
};

}  // namespace holdfast::addon

#endif
