#include "core/primitives/bounded_semaphore.h"

#include "addon/kinds.h"
#include "addon/waiting.h"

namespace holdfast::addon {

namespace {

using N = Native<core::BoundedSemaphore>;

napi_value inspect(N& native) {
  napi_env env = native.environment().env();
  core::BoundedBody& body = native.primitive.body();
  core::Registry& registry = native.registry();
  napi_value holders = nullptr;
  napi_create_array(env, &holders);
  uint32_t held = 0;
  for (uint32_t i = 0; i < native.primitive.permits(); i++) {
    const core::AgentId owner = native.primitive.owner_of(i);
    if (owner == 0 || !registry.alive(owner)) continue;
    napi_set_element(env, holders, held++, describe(env, registry, owner));
  }
  const uint32_t waiters = core::count_waiting(body.waiters, registry);
  return State(env)
      .set("permits", native.primitive.permits())
      .set("value", native.primitive.permits() - held)
      .set("holders", holders)
      .set("waiters", waiters)
      .set("longestWait", longest_wait(env, registry, body.waiters, waiters))
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
  binder.method<&core::BoundedSemaphore::permits>("permits");
  binder.method<&core::BoundedSemaphore::all_held_by_caller>("allHeldByCaller");
  binder.method<inspect>("inspect");
  return binder.value();
}

}  // namespace

const KindBinding kBoundedSemaphore = {core::Kind::bounded_semaphore, "BoundedSemaphore", functions,
                                       make_native<N>};

}  // namespace holdfast::addon
