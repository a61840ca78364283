#include "core/primitives/bounded_semaphore.h"

#include "addon/kinds.h"
#include "addon/waiting.h"

namespace holdfast::addon {

namespace {

using H = Handle<core::BoundedSemaphore>;

napi_value inspect(H& handle) {
  napi_env env = handle.environment().env();
  core::BoundedBody& body = handle.primitive.body();
  core::Registry& registry = handle.registry();
  napi_value holders = nullptr;
  napi_create_array(env, &holders);
  uint32_t held = 0;
  for (uint32_t i = 0; i < handle.primitive.permits(); i++) {
    const core::AgentId owner = handle.primitive.owner_of(i);
    if (owner == 0 || !registry.alive(owner)) continue;
    napi_set_element(env, holders, held++, describe(env, registry, owner));
  }
  return State(env)
      .set("permits", handle.primitive.permits())
      .set("value", handle.primitive.permits() - held)
      .set("holders", holders)
      .set("waiters", core::count_waiting(body.waiters, registry))
      .set("acquisitions", body.acquisitions.load())
      .set("contentions", body.contentions.load())
      .set("abandonments", body.abandonments.load())
      .value();
}

napi_value functions(napi_env env) {
  Binder<core::BoundedSemaphore> binder(env);
  bind_acquirable(binder);
  binder.method<&core::BoundedSemaphore::release>("release");
  binder.method<&core::BoundedSemaphore::release_hold>("releaseHold");
  binder.method<&core::BoundedSemaphore::value>("value");
  binder.method<&core::BoundedSemaphore::all_held_by_caller>("allMine");
  binder.method<inspect>("inspect");
  return binder.value();
}

}  // namespace

const KindBinding kBoundedSemaphore = {core::Kind::bounded_semaphore, "BoundedSemaphore", functions,
                                       make_handle<H>};

}  // namespace holdfast::addon
