#include "core/waiting/held_since.h"

#include "core/kill_point.h"
#include "core/waiting/seen_at.h"

namespace holdfast::core {

void HeldSince::note(uint64_t acquisitions) {
  uint64_t before = word_.load(std::memory_order_relaxed);
  const uint64_t now = seen_now(acquisitions);
  if (is_same_turn(before, now)) return;
  // In vain if another one notes it at the same time.
  word_.compare_exchange_strong(before, now);
  KILL_POINT("held_since.note.word");
}

int64_t HeldSince::age_ms(uint64_t acquisitions) const {
  return seen_for_ms(word_.load(std::memory_order_relaxed), seen_now(acquisitions));
}

}  // namespace holdfast::core
