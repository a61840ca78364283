// Looks a few times before a thread goes to sleep. To sleep and to be woken costs both threads
// several microseconds of work, and costs the waiter much more time. Correctness does not depend on
// it: a thread that has looked in vain waits as if it had not.
#ifndef HOLDFAST_CORE_WAITING_SPIN_H
#define HOLDFAST_CORE_WAITING_SPIN_H

#include "platform/platform.h"

namespace holdfast::core {

class Spin {
 public:
  // Returns true as soon as `look` does. `look` must be cheap and change nothing, because the event
  // loop stands still meanwhile.
  template <class Look>
  bool operator()(Look look) {
    // On one processor no other thread runs while this one spins.
    static const bool is_only_processor = platform::processor_count() < 2;
    if (is_only_processor) return false;
    if (skips_ > 0) {
      skips_--;
      return false;
    }
    const int64_t end_ns = platform::monotonic_ns() + kLongest_ns;
    do {
      for (int i = 0; i < 8; i++) platform::pause();
      if (look()) {
        misses_ = 0;
        return true;
      }
    } while (platform::monotonic_ns() < end_ns);
    if (misses_ < kMissesMax) misses_++;
    skips_ = (1u << misses_) - 1;
    return false;
  }

 private:
  static constexpr int64_t kLongest_ns = 20'000;  // about what sleeping and being woken costs
  static constexpr uint32_t kMissesMax = 10;
  uint32_t misses_ = 0;  // in a row
  uint32_t skips_ = 0;   // calls that do not look: the more misses, the more of them
};

}  // namespace holdfast::core

#endif
