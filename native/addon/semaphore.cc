#include "core/primitives/semaphore.h"

#include "addon/kinds.h"
#include "addon/waiting.h"

namespace holdfast::addon {

namespace {

using H = Handle<core::Semaphore>;

napi_value inspect(H& handle) {
  core::SemaphoreBody& body = handle.primitive.body();
  return State(handle.environment().env())
      .set("value", handle.primitive.value())
      .set("initial", handle.object().initial())
      .set("waiters", core::count_waiting(body.waiters, handle.registry()))
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

const KindBinding kSemaphore = {core::Kind::semaphore, "Semaphore", functions, make_handle<H>};

}  // namespace holdfast::addon
