// A word that says when an object was seen in some state, and how often it had been acquired by
// then (layout.h: `patience`, `held_since`). After the next acquisition it is old news.
#ifndef HOLDFAST_CORE_WAITING_SEEN_AT_H
#define HOLDFAST_CORE_WAITING_SEEN_AT_H

#include <cstdint>

#include "platform/platform.h"

namespace holdfast::core {

constexpr uint32_t kSeenTimeBits = 40;  // of milliseconds: 34 years
constexpr uint64_t kSeenTimeMask = (uint64_t{1} << kSeenTimeBits) - 1;

// Seen now, after so many acquisitions.
inline uint64_t seen_now(uint64_t acquisitions) {
  return acquisitions << kSeenTimeBits | (platform::monotonic_ms() & kSeenTimeMask);
}

// Has nobody acquired it between the two? 0 was never seen.
inline bool is_same_turn(uint64_t before, uint64_t now) {
  return before != 0 && before >> kSeenTimeBits == now >> kSeenTimeBits;
}

// Milliseconds between the two; -1 if they are of different turns. A time in the future was read
// from another clock: that is -1, too.
inline int64_t seen_for_ms(uint64_t before, uint64_t now) {
  const uint64_t age_ms = (now - before) & kSeenTimeMask;
  return is_same_turn(before, now) && age_ms <= kSeenTimeMask / 2 ? static_cast<int64_t>(age_ms)
                                                                  : -1;
}

}  // namespace holdfast::core

#endif
