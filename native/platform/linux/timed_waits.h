// How a thread blocks in a semaphore or a mutex of the C library with a deadline of the monotonic
// clock: setting the wall clock back must not prolong a wait.
//
// glibc has had the calls for it since 2.30. A build for an older glibc finds out when it is loaded
// whether they are there, and asks again and again where they are not. musl has only the calls that
// take the time of the wall clock, and turns that into a span before it waits.
#ifndef HOLDFAST_PLATFORM_TIMED_WAITS_H
#define HOLDFAST_PLATFORM_TIMED_WAITS_H

#include <pthread.h>
#include <semaphore.h>
#include <time.h>

#include "platform/platform.h"

#ifdef __GLIBC__
extern "C" {
int sem_clockwait(sem_t* semaphore, clockid_t clock, const timespec* deadline)
    __attribute__((weak));
int pthread_mutex_clocklock(pthread_mutex_t* mutex, clockid_t clock,
                            const timespec* deadline) noexcept __attribute__((weak));
}
#endif

namespace holdfast::platform {

inline timespec timespec_of(int64_t ns) {
  return {static_cast<time_t>(ns / 1'000'000'000), static_cast<long>(ns % 1'000'000'000)};
}

// The time of the wall clock at which the monotonic clock will show `deadline_ns`.
inline timespec on_wall_clock(int64_t deadline_ns) {
  constexpr int64_t kLongest_ns = 60 * int64_t{1'000'000'000};
  timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  int64_t left_ns = deadline_ns - monotonic_ns();
  if (left_ns < 0) left_ns = 0;
  if (left_ns > kLongest_ns) left_ns = kLongest_ns;  // no overflow: callers ask again
  return timespec_of(int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec + left_ns);
}

// Calls attempt() until it returns true or the deadline has passed. The pauses grow to a
// millisecond.
template <class Attempt>
bool poll_until(int64_t deadline_ns, Attempt attempt) {
  constexpr int64_t kLongestPause_ns = kNanosPerMilli;
  for (int64_t pause_ns = 50'000;; pause_ns = pause_ns * 2) {
    if (attempt()) return true;
    const int64_t left_ns = deadline_ns - monotonic_ns();
    if (left_ns <= 0) return false;
    if (pause_ns > kLongestPause_ns) pause_ns = kLongestPause_ns;
    sleep_ns(pause_ns < left_ns ? pause_ns : left_ns);
  }
}

}  // namespace holdfast::platform

#endif
