#include "core/primitives/bounded_semaphore.h"

#include "addon/handle.h"

namespace holdfast::addon {

namespace {

using H = Handle<core::BoundedSemaphore>;

napi_value release(napi_env, H& handle, const double*) {
  const core::Code code = handle.primitive.release();
  return code == core::Code::ok ? nullptr : handle.environment().raise(code, handle);
}

napi_value release_hold(napi_env, H& handle, const double* argument) {
  const core::Code code = handle.primitive.release_hold(static_cast<uint64_t>(argument[0]));
  return code == core::Code::ok ? nullptr : handle.environment().raise(code, handle);
}

napi_value value(napi_env env, H& handle, const double*) {
  return number(env, handle.primitive.value());
}

napi_value all_mine(napi_env env, H& handle, const double*) {
  return boolean(env, handle.primitive.all_held_by_caller());
}

napi_value inspect(napi_env env, H& handle, const double*) {
  core::BoundedBody& body = handle.primitive.body();
  core::Registry& registry = handle.agent().registry();
  napi_value state = nullptr, holders = nullptr;
  napi_create_object(env, &state);
  napi_create_array(env, &holders);
  uint32_t held = 0;
  for (uint32_t i = 0; i < handle.primitive.permits(); i++) {
    const core::AgentId owner = handle.primitive.owner_of(i);
    if (owner == 0 || !registry.alive(owner)) continue;
    napi_set_element(env, holders, held++, describe(env, registry, owner));
  }
  set(env, state, "permits", handle.primitive.permits());
  set(env, state, "value", handle.primitive.permits() - held);
  set(env, state, "holders", holders);
  set(env, state, "waiters", core::count_waiting(body.waiters, registry));
  set(env, state, "acquisitions", static_cast<double>(body.acquisitions.load()));
  set(env, state, "contentions", static_cast<double>(body.contentions.load()));
  set(env, state, "abandonments", static_cast<double>(body.abandonments.load()));
  return state;
}

}  // namespace

napi_value bind_bounded_semaphore(Environment& environment, core::Object* object) {
  Binder<core::BoundedSemaphore> binder(environment, object);
  binder.add_acquirable();
  binder.add<release>("release");
  binder.add<release_hold, 1>("releaseHold");
  binder.add<value>("value");
  binder.add<all_mine>("allMine");
  binder.add<inspect>("inspect");
  return binder.value();
}

}  // namespace holdfast::addon
