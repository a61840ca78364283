// The kernel keeps, for every thread, a list of the robust mutexes that it holds, and marks them
// when the thread ends (set_robust_list(2)). The next to lock it is told EOWNERDEAD.
//
// The type is ERRORCHECK, and recursion is counted above, beside the owner word. With RECURSIVE
// glibc would take a lock held in another pid namespace by a thread of the same number for its own,
// and both would then change the plain integer __count: two containers that both run Node as pid 1
// would lose a decrement and leave the mutex locked for ever. ERRORCHECK answers EDEADLK and
// touches nothing.
//
// An emulator (qemu-user) may have no such lists. Then the mutex is an owner word, as in posix/.
#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "platform/posix/word_mutex.h"
#include "timed_waits.h"

namespace holdfast::platform {

namespace {

// A list of a wrong length is refused with EINVAL where there are lists, and changes nothing.
bool look_for_lists() {
  pthread_mutexattr_t attributes;
  pthread_mutexattr_init(&attributes);
  const int refused = pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
  pthread_mutexattr_destroy(&attributes);
  return refused == 0 && syscall(SYS_set_robust_list, nullptr, 0) != 0 && errno == EINVAL;
}

const bool kernel_marks = look_for_lists();

uint64_t* word_of(traits::MutexStorage* storage) {
  return reinterpret_cast<uint64_t*>(storage->bytes);
}

pthread_mutex_t* of(traits::MutexStorage* storage) {
  return reinterpret_cast<pthread_mutex_t*>(storage->bytes);
}

MutexResult result_of(int error, pthread_mutex_t* mutex) {
  if (error == 0) return MutexResult::locked;
  if (error == EOWNERDEAD) {
    // Dying before this call leaves the mark in place for the next one.
    pthread_mutex_consistent(mutex);
    return MutexResult::owner_died;
  }
  return error == EDEADLK ? MutexResult::mistaken_identity : MutexResult::busy;
}

}  // namespace

bool kernel_marks_mutexes() { return kernel_marks; }

void init_mutex(traits::MutexStorage* storage) {
  if (!kernel_marks) {
    memset(storage->bytes, 0, sizeof storage->bytes);
    return;
  }
  pthread_mutexattr_t attributes;
  pthread_mutexattr_init(&attributes);
  pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
  pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
  pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_ERRORCHECK);
  pthread_mutex_init(of(storage), &attributes);
  pthread_mutexattr_destroy(&attributes);
}

MutexResult try_lock_mutex(traits::MutexStorage* storage, const MutexParty& party) {
  if (!kernel_marks) return try_lock_word(word_of(storage), party);
  return result_of(pthread_mutex_trylock(of(storage)), of(storage));
}

MutexResult lock_mutex_until(traits::MutexStorage* storage, const MutexParty& party,
                             int64_t deadline_ns) {
  if (!kernel_marks) return lock_word_until(word_of(storage), party, deadline_ns);
#ifdef __GLIBC__
  if (pthread_mutex_clocklock == nullptr) {
    int error = EBUSY;
    poll_until(deadline_ns, [&] {
      error = pthread_mutex_trylock(of(storage));
      return error != EBUSY;
    });
    return result_of(error, of(storage));
  }
  const timespec deadline = timespec_of(deadline_ns);
  return result_of(pthread_mutex_clocklock(of(storage), CLOCK_MONOTONIC, &deadline), of(storage));
#else
  int error;
  do {
    const timespec deadline = on_wall_clock(deadline_ns);
    error = pthread_mutex_timedlock(of(storage), &deadline);
  } while (error == ETIMEDOUT && monotonic_ns() < deadline_ns);
  return result_of(error, of(storage));
#endif
}

void unlock_mutex(traits::MutexStorage* storage, const MutexParty& party) {
  if (!kernel_marks) return unlock_word(word_of(storage), party);
  pthread_mutex_unlock(of(storage));
}

}  // namespace holdfast::platform
