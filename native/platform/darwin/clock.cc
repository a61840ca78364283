// macOS makes CLOCK_MONOTONIC of the wall clock, less the time of the boot (Libc clock_gettime.c).
// It has microseconds, and steps when the wall clock is set. The raw clock counts the
// processor's ticks since the boot, those in sleep included.
#include <time.h>

#include "platform/platform.h"

namespace holdfast::platform {

int64_t monotonic_ns() { return static_cast<int64_t>(clock_gettime_nsec_np(CLOCK_MONOTONIC_RAW)); }

int64_t coarse_ns() { return monotonic_ns(); }

}  // namespace holdfast::platform
