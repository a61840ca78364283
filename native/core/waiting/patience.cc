#include "core/waiting/patience.h"

#include "core/kill_point.h"
#include "core/waiting/seen_at.h"

namespace holdfast::core {

bool Patience::exhausted(uint64_t acquisitions, uint64_t limit_ms) {
  const uint64_t found = seen_now(acquisitions);
  uint64_t before = word_.load();
  const int64_t age_ms = seen_for_ms(before, found);
  const bool is_same = age_ms >= 0;
  if (is_same && static_cast<uint64_t>(age_ms) <= limit_ms) return false;
  const bool is_first = word_.compare_exchange_strong(before, found);
  KILL_POINT("patience.exhausted.word");
  return is_same && is_first;
}

}  // namespace holdfast::core
