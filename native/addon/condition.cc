#include "core/primitives/condition.h"

#include "addon/kinds.h"
#include "addon/waiting.h"

namespace holdfast::addon {

namespace {

using H = Handle<core::Condition>;

uint32_t lock_kind(H& handle) { return static_cast<uint32_t>(handle.primitive.body().lock_kind); }

std::string lock_name(H& handle) {
  const core::ConditionBody& body = handle.primitive.body();
  return {body.lock_name, std::min<size_t>(body.lock_name_length, core::kNameMax)};
}

// Its table is its wait set: a notified one is woken by its id.
uint64_t tag(H& handle) { return handle.object().tag(); }
int enrol(H& handle, int, uint32_t) {
  handle.primitive.watch();
  return -1;
}
bool cancel(H&, int) { return true; }
void pass_on(H&) {}

napi_value inspect(H& handle) {
  return State(handle.environment().env())
      .set("waiters", handle.primitive.waiting())
      .set("notifications", handle.primitive.body().notifications.load())
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
  binder.method<&core::Condition::begin>("begin");
  binder.method<&core::Condition::finish>("finish");
  binder.method<&core::Condition::notify>("notify");
  binder.method<&core::Condition::rescue>("rescue");
  binder.method<&core::Condition::status_of>("look");
  binder.method<&core::Condition::wait>("wait");
  binder.method<inspect>("inspect");
  return binder.value();
}

}  // namespace

const KindBinding kCondition = {core::Kind::condition, "Condition", functions, make_handle<H>};

}  // namespace holdfast::addon
