// Where threads sleep until a lock is free (core/waiting/parking.h).
#include "core/waiting/parking.h"

#include <vector>

#include "core/registry/overdue.h"
#include "support.h"

namespace holdfast::test {

namespace {

using core::Parking;

// So long that a test which waits for it fails: a wake-up is lost.
int64_t never_ns() { return now_ns() + 60'000 * platform::kNanosPerMilli; }

struct Sleepers {
  core::WaitSet set{};
  std::atomic<uint32_t> word{0};
  std::atomic<uint32_t> about_to_sleep{0}, woken{0};
};

// A thread of another process that asks and sleeps once. Ids that differ by less than 32 are in
// groups of their own.
Child sleeper(Sleepers& all, core::AgentId id) {
  return Child([&all, id] {
    Parking parking(all.word, id);
    parking.ask();
    all.about_to_sleep++;
    CHECK(parking.sleep(never_ns()));
    all.woken++;
  });
}

// Of the ids 1 and 2, which go to sleep in this order.
std::vector<Child> two_sleepers(Sleepers& all) {
  std::vector<Child> both;
  for (uint32_t id = 1; id <= 2; id++) {
    both.push_back(sleeper(all, id));
    EVENTUALLY(all.about_to_sleep == id);
  }
  return both;
}

}  // namespace

TEST(parking_wakes_one_for_each_request) {
  if (!platform::traits::kTimedWaits) return;
  Shared<Sleepers> all;
  std::vector<Child> both = two_sleepers(*all);
  Parking waker(all->word, 3);
  waker.wake_one(all->set);
  EVENTUALLY(all->woken >= 1);
  CHECK(all->word.load() != 1u);
  // Whoever was woken asks for the other one.
  waker.wake_one(all->set);
  waker.ask();
  waker.wake_one(all->set);
  EVENTUALLY(all->woken == 2);
  for (Child& child : both) child.join();
  // Nobody is left to be woken, and releases need not look at the time any longer.
  waker.ask();
  waker.wake_one(all->set);
  CHECK_EQUAL(all->word.load(), 0u);
}

// Who was woken waits for a processor, or died. It does not ask for the others.
TEST(parking_wakes_one_more_when_the_first_is_late) {
  if (!platform::traits::kTimedWaits) return;
  Shared<Sleepers> all;
  std::vector<Child> both = two_sleepers(*all);
  Parking waker(all->word, 3);
  waker.wake_one(all->set);
  EVENTUALLY(all->woken >= 1);
  const auto both_are_awake = [&] {
    waker.wake_one(all->set);
    return all->woken == 2;
  };
  EVENTUALLY(both_are_awake());
  for (Child& child : both) child.join();
}

TEST(parking_does_not_sleep_after_a_wake_up) {
  if (!platform::traits::kTimedWaits) return;
  Sleepers all;
  Parking parking(all.word, 1);
  parking.ask();
  parking.wake_one(all.set);
  CHECK(parking.sleep(never_ns()));
  parking.ask();
  CHECK(!parking.sleep(now_ns() + platform::kNanosPerMilli));
}

TEST(parking_wakes_the_overdue_one) {
  if (!platform::traits::kTimedWaits) return;
  Shared<Sleepers> all;
  std::vector<Child> both = two_sleepers(*all);
  all->set.overdue = uint64_t{1} << core::kOverdueIdBits | 2;
  Parking waker(all->word, 3);
  waker.wake_one(all->set);
  both[1].join();
  all->set.overdue = 0;
  waker.ask();
  waker.wake_one(all->set);
  both[0].join();
}

}  // namespace holdfast::test
