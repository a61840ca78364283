#include "core/store/directory_lock.h"

#include <algorithm>

namespace holdfast::core {

// A peer that was stopped while it had the lock must not stop us for ever. flock(2) has no timed
// form, so the lock is asked for again and again until the patience ends.
bool Store::Locked::lock(int fd, int64_t patience_ns) {
  const int64_t deadline = platform::monotonic_ns() + patience_ns;
  for (int64_t pause_ns = 20'000;; pause_ns = std::min(pause_ns * 2, platform::kNanosPerMilli)) {
    if (!platform::lock_exclusive(fd)) return true;
    if (platform::monotonic_ns() >= deadline) return false;
    platform::sleep_ns(pause_ns);
  }
}

}  // namespace holdfast::core
