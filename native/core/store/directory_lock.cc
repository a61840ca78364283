#include "core/store/directory_lock.h"

#include <algorithm>

namespace holdfast::core {

// A peer that was stopped while it had the lock must not stop us for ever. flock(2) has no timed
// form, so the lock is asked for again and again until the patience ends. The mutex is free
// meanwhile, because another thread of this process may have less patience.
Store::Locked::Locked(Store& store, Purpose purpose)
    : guard_(store.mutex_, std::defer_lock), store_(store) {
  const int64_t started_ns = platform::monotonic_ns();
  const auto patience_ns = [&] {
    if (purpose == kForOpening) return kOpenPatience_ns;
    if (purpose == kForSweeping) return int64_t{0};
    return started_ns < store.hurry_until_ns_ ? 0 : kClosePatience_ns;
  };
  for (int64_t pause_ns = 20'000;; pause_ns = std::min(pause_ns * 2, platform::kNanosPerMilli)) {
    guard_.lock();
    const bool is_locked = !platform::lock_exclusive(store.directory_fd_);
    const int64_t now_ns = platform::monotonic_ns();
    if (is_locked || now_ns >= started_ns + patience_ns()) {
      if (purpose == kForClosing) store.hurry_until_ns_ = is_locked ? 0 : now_ns + kHurry_ns;
      store.is_locked_ = is_locked;
      store.dying_until_ns_ = 0;
      return;
    }
    guard_.unlock();
    platform::sleep_ns(pause_ns);
  }
}

}  // namespace holdfast::core
