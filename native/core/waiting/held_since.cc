#include "core/waiting/held_since.h"

#include "core/kill_point.h"
#include "platform/platform.h"

namespace holdfast::core {

namespace {

constexpr uint32_t kTimeBits = 40;  // of milliseconds: 34 years
constexpr uint64_t kTimeMask = (uint64_t{1} << kTimeBits) - 1;

uint64_t now_ms() {
  return static_cast<uint64_t>(platform::monotonic_ns() / platform::kNanosPerMilli) & kTimeMask;
}

// Is the word about this hold? Of another one it is old news.
bool is_about(uint64_t word, uint64_t acquisitions) {
  return word != 0 && word >> kTimeBits == acquisitions << kTimeBits >> kTimeBits;
}

}  // namespace

void HeldSince::note(uint64_t acquisitions) {
  uint64_t before = word_.load(std::memory_order_relaxed);
  if (is_about(before, acquisitions)) return;
  // In vain if another one notes it at the same time.
  word_.compare_exchange_strong(before, acquisitions << kTimeBits | now_ms());
  KILL_POINT("held_since.note.word");
}

int64_t HeldSince::age_ms(uint64_t acquisitions) const {
  const uint64_t word = word_.load(std::memory_order_relaxed);
  const uint64_t age = (now_ms() - word) & kTimeMask;
  // A time in the future was read from another clock.
  return is_about(word, acquisitions) && age <= kTimeMask / 2 ? static_cast<int64_t>(age) : -1;
}

}  // namespace holdfast::core
