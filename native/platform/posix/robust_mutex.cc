// POSIX has robust mutexes, but macOS has none.
#include "platform/posix/word_mutex.h"

namespace holdfast::platform {

bool kernel_marks_mutexes() { return false; }

void init_mutex(traits::MutexStorage* storage) {
  __atomic_store_n(&storage->owner, uint64_t{0}, __ATOMIC_SEQ_CST);
}

MutexResult try_lock_mutex(traits::MutexStorage* storage, const MutexParty& party) {
  return try_lock_word(&storage->owner, party);
}

MutexResult lock_mutex_until(traits::MutexStorage* storage, const MutexParty& party,
                             int64_t deadline_ns) {
  return lock_word_until(&storage->owner, party, deadline_ns);
}

void unlock_mutex(traits::MutexStorage* storage, const MutexParty& party) {
  unlock_word(&storage->owner, party);
}

}  // namespace holdfast::platform
