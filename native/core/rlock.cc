#include "core/rlock.h"

namespace holdfast::core {

Outcome RLock::deeper() {
  const uint32_t depth = body_.depth.load(std::memory_order_relaxed);
  if (depth == UINT32_MAX) return {};
  body_.depth.store(depth + 1, std::memory_order_relaxed);
  return {body_.acquisitions.load(std::memory_order_relaxed), false};
}

Outcome RLock::try_acquire() {
  if (held_by_me()) return deeper();
  return claim(platform::try_lock_mutex(&body_.mutex, agent_.party()));
}

Outcome RLock::claim(platform::MutexResult result) {
  using platform::MutexResult;
  if (result != MutexResult::locked && result != MutexResult::owner_died) return {};
  const AgentId before = body_.owner.load();
  if (before != 0 && agent_.registry().alive(before)) {
    // Nobody can be alive in the word while we have the mutex (INV-11), unless a program that is not
    // ours unlocked it. The word decides.
    platform::unlock_mutex(&body_.mutex, agent_.party());
    return {};
  }
  body_.owner.store(agent_.id());
  body_.depth.store(1, std::memory_order_relaxed);
  const uint64_t hold = body_.acquisitions.load(std::memory_order_relaxed) + 1;
  body_.acquisitions.store(hold, std::memory_order_relaxed);
  if (before != 0) body_.abandonments.fetch_add(1, std::memory_order_relaxed);
  return {hold, before != 0};
}

Outcome RLock::wait(int64_t deadline_ns) {
  if constexpr (platform::traits::kTimedWaits) {
    platform::MutexResult result = platform::MutexResult::busy;
    Outcome outcome = wait_in_kernel(agent_, body_.waiters, [&] {
      result = platform::lock_mutex_until(&body_.mutex, agent_.party(), deadline_ns);
      return claim(result);
    });
    // The kernel will not let us wait for a thread that it takes for ourselves.
    if (result != platform::MutexResult::mistaken_identity) return outcome;
  }
  return wait_at_bell(agent_, body_.waiters, object_.tag(), deadline_ns,
                      [&] { return try_acquire(); });
}

void RLock::unlock() {
  platform::unlock_mutex(&body_.mutex, agent_.party());
  ring_one(body_.waiters, agent_.registry(), object_.tag());
}

Code RLock::release() {
  if (!held_by_me()) return Code::not_owner;
  const uint32_t depth = body_.depth.load(std::memory_order_relaxed);
  if (depth > 1) {
    body_.depth.store(depth - 1, std::memory_order_relaxed);
    return Code::ok;
  }
  body_.depth.store(0, std::memory_order_relaxed);
  body_.owner.store(0);
  unlock();
  return Code::ok;
}

Code RLock::release_hold(uint64_t hold) {
  return body_.acquisitions.load(std::memory_order_relaxed) == hold ? release() : Code::not_owner;
}

void RLock::abandon() {
  // `owner` keeps our id, which is dead by now: that is what tells the next holder.
  if (held_by_me()) unlock();
}

}  // namespace holdfast::core
