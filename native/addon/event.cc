#include "core/primitives/event.h"

#include "addon/handle.h"

namespace holdfast::addon {

namespace {

using H = Handle<core::Event>;

napi_value set_event(napi_env, H& handle, const double*) {
  handle.primitive.set();
  return nullptr;
}

napi_value clear(napi_env, H& handle, const double*) {
  handle.primitive.clear();
  return nullptr;
}

napi_value is_set(napi_env env, H& handle, const double*) {
  return boolean(env, handle.primitive.is_set());
}

napi_value sets(napi_env env, H& handle, const double*) {
  return number(env, static_cast<double>(handle.primitive.sets()));
}

napi_value happened(napi_env env, H& handle, const double* argument) {
  return boolean(env, handle.primitive.happened(static_cast<uint64_t>(argument[0])));
}

// wait(since, ms)
napi_value wait(napi_env env, H& handle, const double* argument) {
  return boolean(env,
                 handle.primitive.wait(static_cast<uint64_t>(argument[0]), slice_of(argument[1])));
}

napi_value inspect(napi_env env, H& handle, const double*) {
  napi_value state = nullptr;
  napi_create_object(env, &state);
  set(env, state, "isSet", boolean(env, handle.primitive.is_set()));
  set(env, state, "sets", static_cast<double>(handle.primitive.sets()));
  set(env, state, "waiters",
      core::count_waiting(handle.primitive.waiters(), handle.agent().registry()));
  return state;
}

}  // namespace

napi_value bind_event(Environment& environment, core::Object* object) {
  Binder<core::Event> binder(environment, object);
  binder.add_source<Waiters<core::Event>>(binder.value());
  binder.add<set_event>("set");
  binder.add<clear>("clear");
  binder.add<is_set>("isSet");
  binder.add<sets>("sets");
  binder.add<happened, 1>("happened");
  binder.add<wait, 2>("wait");
  binder.add<inspect>("inspect");
  return binder.value();
}

}  // namespace holdfast::addon
