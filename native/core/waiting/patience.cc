#include "core/waiting/patience.h"

#include "core/kill_point.h"
#include "platform/platform.h"

namespace holdfast::core {

namespace {

constexpr uint32_t kTimeBits = 40;  // of milliseconds: 34 years
constexpr uint64_t kTimeMask = (uint64_t{1} << kTimeBits) - 1;

}  // namespace

bool Patience::exhausted(uint64_t acquisitions, uint64_t limit_ms) {
  const uint64_t now_ms =
      static_cast<uint64_t>(platform::monotonic_ns() / platform::kNanosPerMilli) & kTimeMask;
  const uint64_t found = acquisitions << kTimeBits | now_ms;
  uint64_t before = word_.load();
  const uint64_t age_ms = (now_ms - before) & kTimeMask;
  // A time in the future was read from another clock.
  const bool is_same =
      before != 0 && before >> kTimeBits == found >> kTimeBits && age_ms <= kTimeMask / 2;
  if (is_same && age_ms <= limit_ms) return false;
  const bool is_first = word_.compare_exchange_strong(before, found);
  KILL_POINT("patience.exhausted.word");
  return is_same && is_first;
}

}  // namespace holdfast::core
