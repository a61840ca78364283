#include "core/primitives/event.h"

#include "addon/kinds.h"
#include "addon/waiting.h"

namespace holdfast::addon {

namespace {

using N = Native<core::Event>;

napi_value inspect(N& native) {
  core::Event& event = native.primitive;
  return State(native.environment().env())
      .set("isSet", event.is_set())
      .set("sets", event.sets())
      .set("waiters", core::count_waiting(event.waiters(), native.registry()))
      .value();
}

napi_value functions(napi_env env) {
  Binder<core::Event> binder(env);
  binder.group("waiters", WaitSetOperations<Waiters<core::Event>>::bind(env));
  binder.method<&core::Event::set, Needs::files>("set");
  binder.method<&core::Event::clear>("clear");
  binder.method<&core::Event::is_set>("isSet");
  binder.method<&core::Event::sets>("sets");
  binder.method<&core::Event::happened, Needs::files>("happened");
  binder.method<&core::Event::wait, Needs::files>("wait");
  binder.method<inspect>("inspect");
  return binder.value();
}

}  // namespace

const KindBinding kEvent = {core::Kind::event, "Event", functions, make_native<N>};

}  // namespace holdfast::addon
