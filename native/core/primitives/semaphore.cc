#include "core/primitives/semaphore.h"

#include "core/kill_point.h"
#include "core/primitives/observations.h"
#include "core/store/kind_ops.h"

namespace holdfast::core {

Outcome Semaphore::taken() {
  KILL_POINT("semaphore.taken.token");
  if constexpr (!platform::traits::kTimedWaits) {
    body_.value.fetch_sub(1, std::memory_order_relaxed);
  }
  KILL_POINT("semaphore.taken.value");
  body_.acquisitions.fetch_add(1, std::memory_order_relaxed);
  KILL_POINT("semaphore.taken.acquisitions");
  if (giving_way_.end()) pass_on();
  return {1, false};
}

Outcome Semaphore::try_acquire_or_rescue() {
  if (Outcome outcome = try_acquire()) return outcome;
  if (!giving_way_.is_due()) return {};
  const uint64_t acquisitions = body_.acquisitions.load(std::memory_order_relaxed);
  if (!giving_way_.has_lapsed(value() > 0, acquisitions)) return {};
  const Outcome outcome = try_acquire();
  pass_on();  // others may have given way, too
  return outcome;
}

void Semaphore::pass_on() {
  for (int32_t left = value(); left > 0; left--) {
    if (!wake_one(body_.waiters, agent_.registry(), object_.tag())) return;
  }
}

Outcome Semaphore::wait(int64_t deadline_ns) {
  if (spin_briefly()) {
    if (Outcome outcome = try_acquire_or_rescue()) return outcome;
  }
  // In the kernel it would take a permit before the overdue agent does.
  if (platform::traits::kTimedWaits && !giving_way_.is_due()) {
    return wait_in_kernel(agent_, body_.waiters, [&] {
      return platform::wait_until(object_.semaphore(), deadline_ns) ? taken() : Outcome{};
    });
  }
  return wait_at_doorbell(
      agent_, body_.waiters, object_.tag(), deadline_ns, [&] { return try_acquire_or_rescue(); },
      [&] { watch(); });
}

Code Semaphore::release(uint32_t count) {
  if (static_cast<int64_t>(value()) + count > platform::kSemaphoreValueMax) {
    return Code::over_release;
  }
  for (uint32_t i = 0; i < count; i++) {
    if constexpr (!platform::traits::kTimedWaits) {
      body_.value.fetch_add(1, std::memory_order_relaxed);
    }
    KILL_POINT("semaphore.release.value");
    platform::post(object_.semaphore());
    KILL_POINT("semaphore.release.token");
    wake_one(body_.waiters, agent_.registry(), object_.tag());
  }
  return Code::ok;
}

int32_t Semaphore::value() const {
  const int32_t value = platform::value_of(object_.semaphore());
  return value >= 0 ? value : std::max(0, body_.value.load(std::memory_order_relaxed));
}

namespace {

uint32_t prepare_semaphore(Object& object) {
  object.body<SemaphoreBody>()->value.store(static_cast<int32_t>(object.initial()));
  KILL_POINT("store.make.value");
  return object.initial();
}

void forget_users(Object& object) { reset(object.body<SemaphoreBody>()->waiters); }

constexpr KindOps make_ops() {
  KindOps ops{"Semaphore"};
  ops.has_semaphore = true;
  ops.initial = "an initial value of";
  ops.initial_max = platform::kSemaphoreValueMax;
  ops.prepare_semaphore = prepare_semaphore;
  ops.forget_users = forget_users;
  ops.observe = observe_semaphore;
  return ops;
}

}  // namespace

extern const KindOps kSemaphoreOps;
const KindOps kSemaphoreOps = make_ops();

}  // namespace holdfast::core
