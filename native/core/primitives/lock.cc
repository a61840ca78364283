#include "core/primitives/lock.h"

#include "core/invariant.h"
#include "core/kill_point.h"
#include "core/primitives/observations.h"
#include "core/primitives/owned.h"

namespace holdfast::core {

// INV-1 is established here and nowhere else.
Outcome Lock::claim(AgentId from) {
  KILL_POINT("lock.claim.token");
  AgentId expected = from;
  if (!body_.owner.compare_exchange_strong(expected, agent_.id())) return {};
  KILL_POINT("lock.claim.owner");
  HOLDFAST_INVARIANT(INV_1, from == 0 || !agent_.registry().alive(from));
  hold_->value = agent_.next_hold();
  // Nothing depends on the counters. Not only the owner writes them: another agent may have
  // released the lock by now.
  body_.acquisitions.fetch_add(1, std::memory_order_relaxed);
  KILL_POINT("lock.claim.acquisitions");
  if (from != 0) body_.abandonments.fetch_add(1, std::memory_order_relaxed);
  KILL_POINT("lock.claim.abandonments");
  waits_.acquired();
  return {hold_->value, from != 0};
}

Outcome Lock::try_acquire_or_rescue() {
  if (Outcome outcome = try_acquire()) return outcome;
  const AgentId owner = body_.owner.load();
  if (owner == agent_.id()) return {};
  if (owner != 0) {
    // The dead owner took a token with it, and our own release will post one: the count is kept.
    return agent_.registry().alive(owner) ? Outcome{} : claim(owner);
  }
  const uint64_t acquisitions = body_.acquisitions.load(std::memory_order_relaxed);
  // Both times run from the same find, so that together they are two slices and not three.
  const bool is_lost = patience_.exhausted(acquisitions);
  if (waits_.giving_way().is_due()) {
    if (!waits_.giving_way().has_lapsed(true, acquisitions)) return {};
    if (Outcome outcome = try_acquire()) return outcome;
  }
  if (!is_lost) return {};
  platform::post(object_.semaphore());  // INV-3, safe by INV-2
  KILL_POINT("lock.try_acquire_or_rescue.token");
  return try_acquire();
}

Outcome Lock::try_acquire_enrolled() {
  if (Outcome outcome = try_acquire()) return outcome;
  return agent_.will_hear_of(owner()) ? Outcome{} : try_acquire_or_rescue();
}

Outcome Lock::wait(int64_t deadline_ns) {
  return waits_.wait(
      deadline_ns, [&] { return try_acquire_or_rescue(); },
      [&](int64_t until_ns, int64_t since_ns) { return wait_once(until_ns, since_ns); });
}

Outcome Lock::wait_once(int64_t deadline_ns, int64_t waits_since_ns) {
  if (!waits_.acquired_since_last_wait()) return wait_for_wake(deadline_ns);
  return waits_.wait_parked(
      deadline_ns, waits_since_ns, [&] { return try_acquire(); },
      [&] { return try_acquire_or_rescue(); },
      // Free and without a token: a program in another language has it, or an agent is between two
      // steps. Both post the semaphore, but only the agent wakes those who are parked.
      [&](int64_t until_ns) {
        return platform::wait_until(object_.semaphore(), until_ns) ? claim(0) : Outcome{};
      });
}

// At the doorbell, until this agent has acquired the lock, or another one has: then the next
// release is probably near.
Outcome Lock::wait_for_wake(int64_t deadline_ns) {
  struct Seen {
    Outcome outcome;
    bool acquired;
    explicit operator bool() const { return outcome || acquired; }
  };
  const auto see = [&] {
    const Outcome outcome = try_acquire_or_rescue();
    return Seen{outcome, platform::traits::kTimedWaits && waits_.is_acquired_since()};
  };
  return wait_at_doorbell(agent_, body_.waiters, object_.tag(), deadline_ns, see, [&] { watch(); })
      .outcome;
}

void Lock::resume(uint64_t hold, uint32_t) { hold_->value = hold; }

void Lock::wake() {
  platform::post(object_.semaphore());
  KILL_POINT("lock.wake.token");
  waits_.wake_waiter();
}

Code Lock::release() {
  waits_.wake_dozers_first();
  AgentId owner = body_.owner.load(std::memory_order_relaxed);
  do {
    if (owner == 0) return Code::not_locked;
  } while (!body_.owner.compare_exchange_weak(owner, 0));
  KILL_POINT("lock.release.owner");
  wake();
  return Code::ok;
}

Code Lock::release_hold(uint64_t hold) {
  AgentId owner = agent_.id();
  if (hold_->value != hold) return Code::not_locked;
  waits_.wake_dozers_first();
  // Only this thread can write its own id into the word.
  if (!body_.owner.compare_exchange_strong(owner, 0)) return Code::not_locked;
  KILL_POINT("lock.release_hold.owner");
  wake();
  return Code::ok;
}

void Lock::abandon() { wake(); }

namespace {

void forget_users(Object& object) {
  OwnedBody* body = object.body<OwnedBody>();
  body->patience.store(0);
  KILL_POINT("store.forget_users.lock_patience");
  body->held_since.store(0);
  KILL_POINT("store.forget_users.lock_held_since");
  reset(body->waiters);
  // A token that died with somebody is replaced now rather than after two slices (INV-3).
  if (body->owner.load() != 0) return;
  platform::try_wait(object.semaphore());
  KILL_POINT("store.adopt.token_taken");
  platform::post(object.semaphore());
  KILL_POINT("store.adopt.token");
  // -1: this system does not tell the value.
  HOLDFAST_INVARIANT(INV_3, platform::value_of(object.semaphore()) != 0);
}

constexpr KindOps make_ops() {
  KindOps ops{"Lock"};
  ops.has_semaphore = true;
  ops.forget_users = forget_users;
  ops.owner_words = owner_words;
  ops.observe = observe_owned;
  return ops;
}

}  // namespace

extern const KindOps kLockOps;
const KindOps kLockOps = make_ops();

}  // namespace holdfast::core
