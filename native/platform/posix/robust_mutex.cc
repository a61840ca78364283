// Without a robust pthread mutex (macOS has none) the mutex is one word: 0, or the id of the agent
// that holds it. A dead agent's word is taken over by compare-and-swap, so by one taker only.
#include "platform/platform.h"

namespace holdfast::platform {

void init_mutex(traits::MutexStorage* storage) {
  __atomic_store_n(&storage->owner, uint64_t{0}, __ATOMIC_SEQ_CST);
}

MutexResult try_lock_mutex(traits::MutexStorage* storage, const MutexParty& party) {
  uint64_t owner = 0;
  if (__atomic_compare_exchange_n(&storage->owner, &owner, party.id, false, __ATOMIC_SEQ_CST,
                                  __ATOMIC_SEQ_CST)) {
    return MutexResult::locked;
  }
  if (owner == party.id || party.alive(owner, party.context)) return MutexResult::busy;
  return __atomic_compare_exchange_n(&storage->owner, &owner, party.id, false, __ATOMIC_SEQ_CST,
                                     __ATOMIC_SEQ_CST)
             ? MutexResult::owner_died
             : MutexResult::busy;
}

// Nobody calls this where traits::kTimedWaits is false: waiters go to their bell.
MutexResult lock_mutex_until(traits::MutexStorage* storage, const MutexParty& party, int64_t) {
  return try_lock_mutex(storage, party);
}

void unlock_mutex(traits::MutexStorage* storage, const MutexParty&) {
  __atomic_store_n(&storage->owner, uint64_t{0}, __ATOMIC_SEQ_CST);
}

}  // namespace holdfast::platform
