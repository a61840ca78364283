#include "platform/posix/word_mutex.h"

#include <sched.h>

namespace holdfast::platform {

namespace {

// From `*expected`, which is the word's content afterwards if that was another one.
bool swap(uint64_t* word, uint64_t* expected, uint64_t desired) {
  return __atomic_compare_exchange_n(word, expected, desired, false, __ATOMIC_SEQ_CST,
                                     __ATOMIC_SEQ_CST);
}

}  // namespace

MutexResult try_lock_word(uint64_t* word, const MutexParty& party) {
  uint64_t owner = 0;
  if (swap(word, &owner, party.id)) return MutexResult::locked;
  if (owner == party.id || party.alive(owner, party.context)) return MutexResult::busy;
  return swap(word, &owner, party.id) ? MutexResult::owner_died : MutexResult::busy;
}

// The section is a microsecond, so yield; if its owner was taken off the processor, sleep.
MutexResult lock_word_until(uint64_t* word, const MutexParty& party, int64_t deadline_ns) {
  for (uint32_t round = 0;; round++) {
    // A yield may last as long as the turns of all others that want this processor.
    const bool is_last = monotonic_ns() >= deadline_ns;
    // Asking who lives costs more than the section: not in every round.
    if (is_last || __atomic_load_n(word, __ATOMIC_RELAXED) == 0 || round % 64 == 63) {
      const MutexResult result = try_lock_word(word, party);
      if (result != MutexResult::busy || is_last) return result;
    }
    if (round < 256) {
      sched_yield();
    } else {
      sleep_ns(100'000);
    }
  }
}

void unlock_word(uint64_t* word, const MutexParty& party) {
  // An agent that has ended may have lost it to an heir already.
  uint64_t owner = party.id;
  swap(word, &owner, 0);
}

}  // namespace holdfast::platform
