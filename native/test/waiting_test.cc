// The wait at the doorbell (core/waiting/waiting.h).
#include "core/waiting/waiting.h"

#include "support.h"

namespace holdfast::test {

// The event loop of the thread may wait for the same object as the blocked wait.
TEST(a_blocked_wait_keeps_its_wake_up_for_an_event_loop_that_waits) {
  Party party;
  core::Agent& agent = party.agent();
  const auto wait_for_12 = [&] {
    agent.put_back({12, 13});
    bool heard = false;
    core::wait_for_wakes(
        agent, 12, now_ns() + 10'000 * platform::kNanosPerMilli, [&] { return heard; }, [] {},
        [] {}, [&] { heard = true; });
    CHECK(heard);
    return agent.take_wakes();
  };
  const std::vector<uint64_t> both = {12, 13}, only_others = {13};
  CHECK(wait_for_12() == both);  // nobody says whether the loop waits
  int32_t waits = 1;
  agent.set_loop_waits(&waits);
  CHECK(wait_for_12() == both);
  waits = 0;
  CHECK(wait_for_12() == only_others);
}

}  // namespace holdfast::test
