// When a thread may look for longer than usual before it sleeps (core/waiting/spin.h,
// docs/adr/0077-answers.md).
#ifndef HOLDFAST_CORE_AGENTS_LONG_LOOKS_H
#define HOLDFAST_CORE_AGENTS_LONG_LOOKS_H

#include "platform/platform.h"

namespace holdfast::core {

// One for each thread: all of its waits share these looks.
class LongLooks {
 public:
  bool is_due() {
    const int64_t now_ns = platform::monotonic_ns();
    if (now_ns < next_ns_) return false;
    // By chance up to twice as late: it helps if two threads do so at a time.
    next_ns_ = now_ns + kBetween_ns + now_ns % kChances * (kBetween_ns / kChances);
    return true;
  }

 private:
  static constexpr int64_t kBetween_ns = 2'000'000;
  static constexpr int64_t kChances = 1024;
  int64_t next_ns_ = 0;
};

}  // namespace holdfast::core

#endif
