#include "core/primitives/condition.h"

#include "addon/handle.h"

namespace holdfast::addon {

namespace {

using H = Handle<core::Condition>;

int place_of(const double* argument) { return static_cast<int>(argument[0]); }

// bind(lock's tag): false if the condition goes with another lock of that name.
napi_value bind(napi_env env, H& handle, const double* argument) {
  return boolean(env, handle.primitive.bind(static_cast<uint64_t>(argument[0])));
}

napi_value begin(napi_env env, H& handle, const double*) {
  return number(env, handle.primitive.begin());
}

napi_value finish(napi_env env, H& handle, const double* argument) {
  return boolean(env, handle.primitive.finish(place_of(argument)));
}

napi_value notify(napi_env env, H& handle, const double* argument) {
  return number(env, handle.primitive.notify(static_cast<uint32_t>(argument[0])));
}

napi_value rescue(napi_env, H& handle, const double*) {
  handle.primitive.rescue();
  return nullptr;
}

napi_value look(napi_env env, H& handle, const double* argument) {
  return number(env, static_cast<double>(handle.primitive.status_of(place_of(argument))));
}

// wait(place, ms)
napi_value wait(napi_env env, H& handle, const double* argument) {
  return number(
      env, static_cast<double>(handle.primitive.wait(place_of(argument), slice_of(argument[1]))));
}

// Its table is its wait set: a notified one is woken by its id.
napi_value enrol(napi_env env, H& handle, const double*) {
  handle.primitive.watch();
  return number(env, -1);
}
napi_value cancel(napi_env env, H&, const double*) { return boolean(env, true); }
napi_value pass_on(napi_env, H&, const double*) { return nullptr; }
napi_value soon(napi_env env, H& handle, const double*) {
  return boolean(env, handle.primitive.spin_briefly());
}

napi_value inspect(napi_env env, H& handle, const double*) {
  napi_value state = nullptr;
  napi_create_object(env, &state);
  set(env, state, "waiters", handle.primitive.waiting());
  set(env, state, "notifications",
      static_cast<double>(handle.primitive.body().notifications.load()));
  return state;
}

}  // namespace

napi_value bind_condition(Environment& environment, core::Object* object) {
  napi_env env = environment.env();
  Binder<core::Condition> binder(environment, object);
  const core::ConditionBody& body = binder.handle().primitive.body();
  napi_value lock_name = nullptr;
  napi_create_string_utf8(env, body.lock_name,
                          std::min<size_t>(body.lock_name_length, core::kNameMax), &lock_name);
  set(env, binder.value(), "lockName", lock_name);
  set(env, binder.value(), "lockKind", static_cast<double>(body.lock_kind));
  set(env, binder.value(), "tag", static_cast<double>(object->tag()));
  binder.add<bind, 1>("bind");
  binder.add<begin>("begin");
  binder.add<finish, 1>("finish");
  binder.add<notify, 1>("notify");
  binder.add<rescue>("rescue");
  binder.add<look, 1>("look");
  binder.add<wait, 2>("wait");
  binder.add<enrol, 2>("enrol");
  binder.add<cancel, 1>("cancel");
  binder.add<soon>("spinBriefly");
  binder.add<pass_on>("passOn");
  binder.add<inspect>("inspect");
  return binder.value();
}

}  // namespace holdfast::addon
