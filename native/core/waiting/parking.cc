#include "core/waiting/parking.h"

#include "core/kill_point.h"
#include "core/registry/overdue.h"

namespace holdfast::core {

namespace {

constexpr uint32_t kAsked = 1;

// What the word is after somebody was woken: CLOCK_MONOTONIC in steps of 16 us. One bit is always
// set, so that it is neither 0 nor kAsked.
uint32_t now_in_steps() { return static_cast<uint32_t>(platform::monotonic_ns() >> 14) | 2; }

// Some 100 us: about three times what a wake-up takes if there is a processor for it.
constexpr uint32_t kLate_steps = 8;

// So many releases for each reading of the clock: a short turn takes no longer than three readings.
constexpr uint32_t kReleases = 8;

// Which of 32 groups of threads: so one can be woken, and few others with it.
uint32_t group_of(uint64_t id) { return uint32_t{1} << (id % 32); }
constexpr uint32_t kEveryGroup = UINT32_MAX;

}  // namespace

void Parking::ask() {
  word_.exchange(kAsked);
  KILL_POINT("parking.ask.word");
  platform::fence_after_rmw();  // INV-4: pairs with the fence in wake_one
}

bool Parking::sleep(int64_t deadline_ns) {
  return platform::sleep_while(word_, kAsked, group_of(me_), deadline_ns);
}

void Parking::wake_one(const WaitSet& set) {
  if (!platform::traits::kTimedWaits) return;
  platform::fence_after_rmw();  // INV-4: pairs with the fence in ask
  uint32_t seen = word_.load(std::memory_order_relaxed);
  if (seen == 0 || (seen != kAsked && !is_late(seen))) return;
  uint32_t woken = now_in_steps();
  // If this fails, another thread wakes one, or has asked after the look (INV-4).
  if (!word_.compare_exchange_strong(seen, woken)) return;
  KILL_POINT("parking.wake_one.word");
  const uint64_t overdue = set.overdue.load();
  const bool anybody = overdue != 0 ? platform::wake_sleepers(word_, group_of(overdue), INT32_MAX)
                                    : platform::wake_sleepers(word_, kEveryGroup, 1);
  if (anybody) return;
  KILL_POINT("parking.wake_one.nobody");
  word_.compare_exchange_strong(woken, 0);
}

bool Parking::is_late(uint32_t woken) {
  return ++releases_ % kReleases == 0 && now_in_steps() - woken >= kLate_steps;
}

}  // namespace holdfast::core
