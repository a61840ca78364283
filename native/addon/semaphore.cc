#include "core/primitives/semaphore.h"

#include "addon/kinds.h"
#include "addon/waiting.h"

namespace holdfast::addon {

namespace {

using N = Native<core::Semaphore>;

napi_value inspect(N& native) {
  napi_env env = native.environment().env();
  core::SemaphoreBody& body = native.primitive.body();
  const uint32_t waiters = core::count_waiting(body.waiters, native.registry());
  return State(env)
      .set("value", native.primitive.value())
      .set("initial", native.object().initial())
      .set("waiters", waiters)
      .set("longestWait", longest_wait(env, native.registry(), body.waiters, waiters))
      .set("acquisitions", body.acquisitions.load())
      .set("contentions", body.contentions.load())
      .value();
}

napi_value functions(napi_env env) {
  Binder<core::Semaphore> binder(env);
  bind_acquirable(binder);
  binder.method<&core::Semaphore::release>("release");
  binder.method<&core::Semaphore::value>("value");
  binder.method<inspect>("inspect");
  return binder.value();
}

}  // namespace

const KindBinding kSemaphore = {core::Kind::semaphore, "Semaphore", functions, make_native<N>};

}  // namespace holdfast::addon
