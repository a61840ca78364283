// Without a robust pthread mutex (macOS has none) the mutex is one word: 0, or the id of the agent
// that holds it. A dead agent's word is taken over by compare-and-swap, so by one taker only.
#include <sched.h>

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

// For short critical sections only: the section is a microsecond, so yield; if its owner was taken
// off the processor, sleep. A thread that waits longer goes to its doorbell.
MutexResult lock_mutex_until(traits::MutexStorage* storage, const MutexParty& party,
                             int64_t deadline_ns) {
  for (uint32_t round = 0;; round++) {
    // Asking who lives costs more than the section: not in every round.
    if (__atomic_load_n(&storage->owner, __ATOMIC_RELAXED) == 0 || round % 64 == 63) {
      const MutexResult result = try_lock_mutex(storage, party);
      if (result != MutexResult::busy) return result;
    }
    if (round < 256) {
      sched_yield();
    } else {
      if (monotonic_ns() >= deadline_ns) return MutexResult::busy;
      sleep_ns(100'000);
    }
  }
}

void unlock_mutex(traits::MutexStorage* storage, const MutexParty& party) {
  // An agent that has ended may have lost it to an heir already.
  uint64_t owner = party.id;
  __atomic_compare_exchange_n(&storage->owner, &owner, uint64_t{0}, false, __ATOMIC_SEQ_CST,
                              __ATOMIC_SEQ_CST);
}

}  // namespace holdfast::platform
