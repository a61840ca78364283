// What the waits of all objects have in common.
#ifndef HOLDFAST_CORE_WAITING_WAITING_H
#define HOLDFAST_CORE_WAITING_WAITING_H

#include <algorithm>
#include <vector>

#include "core/agents/agent.h"
#include "core/agreed.h"
#include "core/registry/wait_set.h"
#include "core/waiting/giving_way.h"
#include "core/waiting/held_since.h"
#include "core/waiting/parking.h"
#include "core/waiting/patience.h"
#include "core/waiting/spin.h"

namespace holdfast::core {

constexpr int64_t kSlice_ns = kSlice_ms * platform::kNanosPerMilli;

// How long a blocked thread waits in the kernel for the object itself before it goes to its
// doorbell. The kernel is faster; at the doorbell the thread also hears of the holder's death.
// The time is longer than the kernel's tick. For a shorter one the kernel has to set a timer, which
// in a virtual machine costs as much as the whole hand-over.
constexpr int64_t kKernelWait_ns = 10 * platform::kNanosPerMilli;

// The result of a try. `hold` is the number of the acquisition, by which a guard tells its own hold
// from a later one of the same agent.
struct Outcome {
  uint64_t hold = 0;  // 0: not acquired
  bool abandoned = false;
  explicit operator bool() const { return hold != 0; }
};

// The number of the hold after `acquisitions` others. It is never 0. Multiplied by `places`, it
// still fits into the 53 bits of a whole number of JavaScript.
constexpr uint64_t hold_after(uint64_t acquisitions, uint64_t places) {
  return acquisitions % ((uint64_t{1} << 52) / places) + 1;
}

// Waits at the doorbell, at most until the deadline, for a wake-up of this object. Used where the
// kernel has no timed wait for the object itself.
//
//   try_once   does not block; its result is true when the wait is over
//   ask        asks for a wake-up
//   watch      watches the agents whose death ends the wait
//   heard      is called after each wake-up
template <class Try, class Ask, class Watch, class Heard>
auto wait_for_wakes(Agent& agent, uint64_t tag, int64_t deadline_ns, Try try_once, Ask ask,
                    Watch watch, Heard heard) {
  std::vector<uint64_t> not_ours;
  ask();
  auto outcome = try_once();  // INV-4: after asking
  while (!outcome && platform::monotonic_ns() < deadline_ns) {
    watch();
    agent.wait(deadline_ns);
    bool woken = false;
    for (const uint64_t seen : agent.take_wakes()) {
      woken |= seen == tag;
      // Our own tag, too, may be for the event loop: it may wait for the same object.
      if (seen == tag && !agent.loop_waits()) continue;
      if (std::find(not_ours.begin(), not_ours.end(), seen) == not_ours.end()) {
        not_ours.push_back(seen);
      }
    }
    if (woken) heard();
    outcome = try_once();
    if (!outcome && woken) {
      ask();
      outcome = try_once();
    }
  }
  agent.put_back(not_ours);
  return outcome;
}

template <class Try, class Ask, class Watch>
auto wait_for_wakes(Agent& agent, uint64_t tag, int64_t deadline_ns, Try try_once, Ask ask,
                    Watch watch) {
  return wait_for_wakes(agent, tag, deadline_ns, try_once, ask, watch, [] {});
}

// The same with a wait set to be woken from.
template <class Try, class Watch>
auto wait_at_doorbell(Agent& agent, WaitSet& set, uint64_t tag, int64_t deadline_ns, Try try_once,
                      Watch watch) {
  int index = -1;
  const auto ask = [&] { index = enrol_again(set, agent.registry(), agent.id(), 1, index); };
  const auto outcome = wait_for_wakes(agent, tag, deadline_ns, try_once, ask, watch);
  if (!cancel(set, agent.id(), index)) wake_one(set, agent.registry(), tag);
  return outcome;
}

template <class Try>
auto wait_at_doorbell(Agent& agent, WaitSet& set, uint64_t tag, int64_t deadline_ns, Try try_once) {
  return wait_at_doorbell(agent, set, tag, deadline_ns, try_once, [] {});
}

// Waits inside the kernel. The entry in the wait set is only counted, never woken.
template <class Block>
Outcome wait_in_kernel(Agent& agent, WaitSet& set, Block block) {
  const int index = enrol(set, agent.registry(), agent.id(), 1, WaitHow::in_kernel);
  const Outcome outcome = block();
  cancel(set, agent.id(), index);
  return outcome;
}

}  // namespace holdfast::core

#endif
