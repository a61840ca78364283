#include "core/primitives/rlock.h"

#include "core/invariant.h"
#include "core/kill_point.h"
#include "core/primitives/observations.h"
#include "core/primitives/owned.h"

namespace holdfast::core {

namespace {

bool is_locked(platform::MutexResult result) {
  return result == platform::MutexResult::locked || result == platform::MutexResult::owner_died;
}

}  // namespace

Outcome RLock::acquire_again() {
  const uint32_t depth = body_.depth.load(std::memory_order_relaxed);
  if (depth == UINT32_MAX) return {};
  body_.depth.store(depth + 1, std::memory_order_relaxed);
  KILL_POINT("rlock.acquire_again.depth");
  return {hold_->value, false};
}

// INV-1 is established here and nowhere else. `from` is 0, or an agent that is dead.
Outcome RLock::claim(AgentId from) {
  AgentId expected = from;
  if (!body_.owner.compare_exchange_strong(expected, agent_.id())) return {};
  KILL_POINT("rlock.claim.owner");
  body_.depth.store(1, std::memory_order_relaxed);
  KILL_POINT("rlock.claim.depth");
  hold_->value = agent_.next_hold();
  body_.acquisitions.store(body_.acquisitions.load(std::memory_order_relaxed) + 1,
                           std::memory_order_relaxed);
  KILL_POINT("rlock.claim.acquisitions");
  if (from != 0) body_.abandonments.fetch_add(1, std::memory_order_relaxed);
  KILL_POINT("rlock.claim.abandonments");
  waits_.acquired();
  return {hold_->value, from != 0};
}

// With the mutex just locked, or not: hold, or give the mutex back (INV-11).
Outcome RLock::claim_with(platform::MutexResult result) {
  if (!is_locked(result)) return {};
  agent_.has_locked(&body_.mutex);
  KILL_POINT("rlock.claim_with.mutex");
  const AgentId before = body_.owner.load();
  // The kernel wakes us before it closes the doorbell of the dead. Its word is good: no two agents
  // that lock mutexes have the same thread number (Agent::may_lock_mutexes).
  const bool died = result == platform::MutexResult::owner_died &&
                    body_.mutex_owner.load(std::memory_order_relaxed) == before;
  body_.mutex_owner.store(agent_.id(), std::memory_order_relaxed);
  KILL_POINT("rlock.claim_with.mutex_owner");
  Outcome outcome;
  if (before == 0 || died || !agent_.registry().alive(before)) outcome = claim(before);
  if (!outcome) {
    unlock_mutex();
    // An agent that looked meanwhile found the mutex taken, by us, and may have gone to sleep
    // beside a word that has become free (spec/rlock.pml). The unlock has to come before our own
    // look (spec/litmus/rlock_give_back.litmus).
    platform::fence_after_rmw();
    if (body_.owner.load() == 0) waits_.wake_waiter();
  }
  HOLDFAST_INVARIANT(INV_11, is_held_by_caller() == (body_.mutex_owner.load() == agent_.id()));
  return outcome;
}

Outcome RLock::try_acquire() {
  if (is_held_by_caller()) return acquire_again();
  if (waits_.giving_way().is_due()) return {};
  if (!agent_.may_lock_mutexes()) return owner() == 0 ? claim(0) : Outcome{};
  return claim_with(platform::try_lock_mutex(&body_.mutex, agent_.party()));
}

Outcome RLock::try_acquire_or_rescue() {
  if (Outcome outcome = try_acquire()) return outcome;
  const AgentId owner = body_.owner.load();
  if (owner == 0) {
    const uint64_t acquisitions = body_.acquisitions.load(std::memory_order_relaxed);
    // Both times run from the same find, so that together they are two slices and not three.
    const bool is_lost = patience_.exhausted(acquisitions);
    if (waits_.giving_way().is_due()) {
      if (!waits_.giving_way().has_lapsed(true, acquisitions)) return {};
      if (Outcome outcome = try_acquire()) return outcome;
    }
    // Free, and yet its mutex was not to be had: somebody is between two steps, or died there.
    if (agent_.may_lock_mutexes() && !is_lost) return {};
    return claim(0);
  }
  if (agent_.registry().alive(owner)) return {};
  if (agent_.may_lock_mutexes()) {
    // The kernel marks a dead thread's mutexes before it closes its doorbell, so now it is to be
    // had.
    if (Outcome outcome = claim_with(platform::try_lock_mutex(&body_.mutex, agent_.party()))) {
      return outcome;
    }
  }
  return claim(owner);
}

Outcome RLock::try_acquire_enrolled() {
  if (Outcome outcome = try_acquire()) return outcome;
  return agent_.will_hear_of(owner()) ? Outcome{} : try_acquire_or_rescue();
}

Outcome RLock::wait(int64_t deadline_ns) {
  return waits_.wait(
      deadline_ns, [&] { return try_acquire_or_rescue(); },
      [&](int64_t until_ns, int64_t since_ns) { return wait_once(until_ns, since_ns); });
}

Outcome RLock::wait_once(int64_t deadline_ns, int64_t waits_since_ns) {
  // The death of a holder wakes nobody who is parked.
  if (waits_.acquired_since_last_wait() && waits_.has_short_turns()) {
    return waits_.wait_parked(
        deadline_ns, waits_since_ns, [&] { return try_acquire(); },
        [&] { return try_acquire_or_rescue(); },
        // Free, or between two steps of an agent that will wake somebody.
        [&](int64_t) { return try_acquire(); });
  }
  // Those who sleep in the mutex are woken by the kernel when its holder dies. But they would get
  // it before the overdue agent does.
  const bool in_mutex = agent_.may_lock_mutexes() && !waits_.giving_way().is_due();
  return in_mutex ? wait_in_mutex(deadline_ns) : wait_for_wake(deadline_ns);
}

Outcome RLock::wait_in_mutex(int64_t deadline_ns) {
  platform::MutexResult result = platform::MutexResult::busy;
  const Outcome outcome = wait_in_kernel(agent_, body_.waiters, [&] {
    result = platform::lock_mutex_until(&body_.mutex, agent_.party(), deadline_ns);
    return claim_with(result);
  });
  if (outcome) return outcome;
  // Busy: the slice is over.
  return result == platform::MutexResult::busy ? try_acquire_or_rescue()
                                               : wait_for_wake(deadline_ns);
}

Outcome RLock::wait_for_wake(int64_t deadline_ns) {
  return wait_at_doorbell(
      agent_, body_.waiters, object_.tag(), deadline_ns, [&] { return try_acquire_or_rescue(); },
      [&] { watch(); });
}

void RLock::resume(uint64_t hold, uint32_t depth) {
  hold_->value = hold;
  body_.depth.store(depth, std::memory_order_relaxed);
  KILL_POINT("rlock.resume.depth");
}

// The mutex, if this agent has it.
void RLock::unlock_mutex() {
  if (!agent_.forget_mutex(&body_.mutex)) return;
  body_.mutex_owner.store(0, std::memory_order_relaxed);
  KILL_POINT("rlock.unlock_mutex.mutex_owner");
  platform::unlock_mutex(&body_.mutex, agent_.party());
  KILL_POINT("rlock.unlock_mutex.mutex");
}

Code RLock::release() {
  if (!is_held_by_caller()) return Code::not_owner;
  const uint32_t depth = body_.depth.load(std::memory_order_relaxed);
  if (depth > 1) {
    body_.depth.store(depth - 1, std::memory_order_relaxed);
    KILL_POINT("rlock.release.shallower");
    return Code::ok;
  }
  waits_.wake_dozers_first();
  body_.depth.store(0, std::memory_order_relaxed);
  KILL_POINT("rlock.release.depth");
  // Some read-modify-write has to come before wake_one looks (INV-4): the mutex's, or this one.
  if (body_.mutex_owner.load(std::memory_order_relaxed) == agent_.id()) {
    HOLDFAST_INVARIANT(INV_1, is_held_by_caller());
    body_.owner.store(0, std::memory_order_release);
    KILL_POINT("rlock.release.owner");
    unlock_mutex();
  } else {
    [[maybe_unused]] const AgentId before = body_.owner.exchange(0);
    HOLDFAST_INVARIANT(INV_1, before == agent_.id());
    KILL_POINT("rlock.release.owner_without_mutex");
  }
  waits_.wake_waiter();
  return Code::ok;
}

Code RLock::release_hold(uint64_t hold) {
  return hold_->value == hold ? release() : Code::not_owner;
}

void RLock::unlock_stray_mutex() {
  if (!is_held_by_caller()) unlock_mutex();
}

void RLock::abandon() {
  // `owner` keeps our id, which is dead by now: that is what tells the next holder.
  unlock_mutex();
  waits_.wake_waiter();
}

namespace {

void initialise(Object& object, const OpenRequest&) {
  platform::init_mutex(&object.body<OwnedBody>()->mutex);
}

void forget_users(Object& object) {
  // No kernel has marked a mutex in a file that outlived a restart of the machine.
  platform::init_mutex(&object.body<OwnedBody>()->mutex);
  KILL_POINT("store.forget_users.mutex");
  object.body<OwnedBody>()->patience.store(0);
  KILL_POINT("store.forget_users.rlock_patience");
  object.body<OwnedBody>()->held_since.store(0);
  KILL_POINT("store.forget_users.rlock_held_since");
  reset(object.body<OwnedBody>()->waiters);
}

constexpr KindOps make_ops() {
  KindOps ops{"RLock"};
  ops.initialise = initialise;
  ops.forget_users = forget_users;
  ops.owner_words = owner_words;
  ops.observe = observe_owned;
  return ops;
}

}  // namespace

extern const KindOps kRLockOps;
const KindOps kRLockOps = make_ops();

}  // namespace holdfast::core
