// A look now and then for a moment before a thread goes to sleep. To sleep and be woken costs two
// threads several microseconds of work each, and the waiter far more in time; what is about to come
// is cheaper to look out for. Nothing rests on it: whoever has looked in vain waits as if it had
// not.
#ifndef HOLDFAST_CORE_WAITING_SPIN_H
#define HOLDFAST_CORE_WAITING_SPIN_H

#include "platform/platform.h"

namespace holdfast::core {

class Spin {
 public:
  // True once `look` is, which is cheap and changes nothing. Event loops stand still meanwhile.
  template <class Look>
  bool operator()(Look look) {
    static const bool alone =
        platform::processor_count() < 2;  // nobody else runs while this thread does
    if (alone) return false;
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
