#include "core/primitives/condition.h"

#include "addon/kinds.h"
#include "addon/waiting.h"

namespace holdfast::addon {

namespace {

using N = Native<core::Condition>;

uint32_t lock_kind(N& native) { return static_cast<uint32_t>(native.primitive.body().lock_kind); }

std::string lock_name(N& native) {
  const core::ConditionBody& body = native.primitive.body();
  return {body.lock_name, std::min<size_t>(body.lock_name_length, core::kNameMax)};
}

// Its table is its wait set: a notified one is woken by its id.
uint64_t tag(N& native) { return native.object().tag(); }
int enrol(N& native, int, uint32_t) {
  native.primitive.watch();
  return -1;
}
bool cancel(N&, int) { return true; }
void pass_on(N&) {}

napi_value inspect(N& native) {
  return State(native.environment().env())
      .set("waiters", native.primitive.waiting())
      .set("notifications", native.primitive.body().notifications.load())
      .value();
}

napi_value functions(napi_env env) {
  Binder<core::Condition> waiters(env);
  waiters.method<tag>("tag");
  waiters.method<enrol>("enrol");
  waiters.method<cancel>("cancel");
  waiters.method<&core::Condition::spin_briefly>("spinBriefly");
  waiters.method<pass_on>("passOn");

  Binder<core::Condition> binder(env);
  binder.group("waiters", waiters);
  binder.method<lock_kind>("lockKind");
  binder.method<lock_name>("lockName");
  binder.method<&core::Condition::bind>("bind");
  binder.method<&core::Condition::begin, Needs::files>("begin");
  binder.method<&core::Condition::finish>("finish");
  binder.method<&core::Condition::notify>("notify");
  binder.method<&core::Condition::rescue>("rescue");
  binder.method<&core::Condition::status_of, Needs::files>("statusOf");
  binder.method<&core::Condition::wait, Needs::files>("wait");
  binder.method<inspect>("inspect");
  return binder.value();
}

}  // namespace

const KindBinding kCondition = {core::Kind::condition, "Condition", functions, make_native<N>};

}  // namespace holdfast::addon
