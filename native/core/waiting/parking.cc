#include "core/waiting/parking.h"

#include "core/kill_point.h"
#include "core/registry/overdue.h"

namespace holdfast::core {

namespace {

constexpr uint32_t kAsked = 1;

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
  if (word_.load(std::memory_order_relaxed) == 0 || word_.exchange(0) == 0) return;
  KILL_POINT("parking.wake_one.word");
  const uint64_t overdue = set.overdue.load();
  if (overdue != 0) {
    platform::wake_sleepers(word_, group_of(overdue), INT32_MAX);
  } else {
    platform::wake_sleepers(word_, kEveryGroup, 1);
  }
}

}  // namespace holdfast::core
