#include "core/primitives/semaphore.h"

#include "addon/kinds.h"
#include "addon/waiting.h"

namespace holdfast::addon {

namespace {

using N = Native<core::Semaphore>;

napi_value inspect(N& native) {
  core::SemaphoreBody& body = native.primitive.body();
  return State(native.environment().env())
      .set("value", native.primitive.value())
      .set("initial", native.object().initial())
      .set("waiters", core::count_waiting(body.waiters, native.registry()))
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
