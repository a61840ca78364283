// What the waits of all objects have in common.
#ifndef HOLDFAST_CORE_WAITING_H
#define HOLDFAST_CORE_WAITING_H

#include <algorithm>
#include <vector>

#include "core/agent.h"
#include "core/wait_set.h"

namespace holdfast::core {

// Whoever waits looks again by itself after this long at the latest (INV-6).
constexpr int64_t kSlice_ns = 50 * platform::kNanosPerMilli;

// What trying came to. `hold` numbers the acquisition, so that a guard can tell its own hold from a
// later one of the same agent.
struct Outcome {
  uint64_t hold = 0;  // 0: not acquired
  bool abandoned = false;
  explicit operator bool() const { return hold != 0; }
};

// Finds out that nothing has moved for two slices, however often or seldom it is asked.
class Patience {
 public:
  bool exhausted(uint64_t acquisitions) {
    const int64_t now = platform::monotonic_ns();
    if (since_ns_ == 0 || acquisitions != acquisitions_) {
      acquisitions_ = acquisitions;
      since_ns_ = now;
      return false;
    }
    return now - since_ns_ >= 2 * kSlice_ns;
  }
  void reset() { since_ns_ = 0; }

 private:
  uint64_t acquisitions_ = 0;
  int64_t since_ns_ = 0;
};

// Waits at the bell, at most until the deadline, for one ring of this object. Used where the kernel
// has no timed wait for the thing itself. `try_once` returns what is true once it has come, and does
// not block.
template <class Try>
auto wait_at_bell(Agent& agent, WaitSet& set, uint64_t tag, int64_t deadline_ns, Try try_once) {
  std::vector<uint64_t> not_ours;
  int index = enrol(set, agent.registry(), agent.id(), 1, WaitHow::ring_me);
  auto outcome = try_once();  // INV-4: after enrolling
  while (!outcome && platform::monotonic_ns() < deadline_ns) {
    platform::wait_bell(agent.bell(), deadline_ns);
    bool rung = false;
    for (const uint64_t seen : agent.take_rings()) {
      rung |= seen == tag;
      if (std::find(not_ours.begin(), not_ours.end(), seen) == not_ours.end()) {
        not_ours.push_back(seen);  // our own tag too: the event loop may wait for the same object
      }
    }
    outcome = try_once();
    if (!outcome && rung) {
      index = enrol_again(set, agent.registry(), agent.id(), 1, index);
      outcome = try_once();
    }
  }
  if (!cancel(set, agent.id(), index)) ring_one(set, agent.registry(), tag);
  agent.put_back(not_ours);
  return outcome;
}

// Waits inside the kernel; the entry in the wait set is there to be counted, not to be rung.
template <class Block>
Outcome wait_in_kernel(Agent& agent, WaitSet& set, Block block) {
  const int index = enrol(set, agent.registry(), agent.id(), 1, WaitHow::in_kernel);
  const Outcome outcome = block();
  cancel(set, agent.id(), index);
  return outcome;
}

}  // namespace holdfast::core

#endif
