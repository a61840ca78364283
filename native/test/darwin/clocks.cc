// A monotonic clock that steps, and the raw one that does not (Libc clock_gettime.c).
#include <time.h>

#include <atomic>

#include "stand_in.h"

extern "C" int __real_clock_gettime(clockid_t clock, timespec* now);

extern "C" {

// In microseconds; an hour ahead, and back, by turns.
int __wrap_clock_gettime(clockid_t clock, timespec* now) {
  static std::atomic<unsigned> calls{0};
  constexpr unsigned kCallsBetweenSteps = 64;
  const int result = __real_clock_gettime(clock, now);
  if (clock != CLOCK_MONOTONIC) return result;
  if (calls++ / kCallsBetweenSteps % 2 == 1) now->tv_sec += 3600;
  now->tv_nsec -= now->tv_nsec % 1000;
  return result;
}

// Linux' monotonic clock, because the clock that JavaScript sees and tests compare is that.
uint64_t clock_gettime_nsec_np(clockid_t) {
  timespec now;
  __real_clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(now.tv_nsec);
}

}  // extern "C"
