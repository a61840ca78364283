#include "core/primitives/semaphore.h"

#include "addon/handle.h"

namespace holdfast::addon {

namespace {

using H = Handle<core::Semaphore>;

napi_value release(napi_env, H& handle, const double* argument) {
  const core::Code code = handle.primitive.release(static_cast<uint32_t>(argument[0]));
  return code == core::Code::ok ? nullptr : handle.environment().raise(code, handle);
}

napi_value value(napi_env env, H& handle, const double*) {
  return number(env, handle.primitive.value());
}

napi_value inspect(napi_env env, H& handle, const double*) {
  core::SemaphoreBody& body = handle.primitive.body();
  napi_value state = nullptr;
  napi_create_object(env, &state);
  set(env, state, "value", handle.primitive.value());
  set(env, state, "initial", handle.object().initial());
  set(env, state, "waiters", core::count_waiting(body.waiters, handle.agent().registry()));
  set(env, state, "acquisitions", static_cast<double>(body.acquisitions.load()));
  set(env, state, "contentions", static_cast<double>(body.contentions.load()));
  return state;
}

}  // namespace

napi_value bind_semaphore(Environment& environment, core::Object* object) {
  Binder<core::Semaphore> binder(environment, object);
  binder.add_acquirable();
  binder.add<release, 1>("release");
  binder.add<value>("value");
  binder.add<inspect>("inspect");
  return binder.value();
}

}  // namespace holdfast::addon
