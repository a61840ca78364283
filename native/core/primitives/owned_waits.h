// How threads wait for a Lock or an RLock, and who wakes them: what both have in common.
#ifndef HOLDFAST_CORE_PRIMITIVES_OWNED_WAITS_H
#define HOLDFAST_CORE_PRIMITIVES_OWNED_WAITS_H

#include "core/registry/dozing.h"
#include "core/waiting/waiting.h"

namespace holdfast::core {

class OwnedWaits {
 public:
  OwnedWaits(Agent& agent, Object& object);

  // Is it free, or will it be in a moment?
  bool spin_briefly();
  // The same for a thread that comes to wait. If there are more threads than processors, it looks
  // for a moment only: then it sleeps behind the others, and who was woken before it gets its
  // processor.
  bool spin_unless_crowded();
  // Did the last spin see it change hands, or does it in a crowd, ten thousand times a second? Then
  // its turns are short.
  bool has_short_turns() const { return has_short_turns_; }
  // Has anybody acquired it since the last call? Then the next release is probably near.
  bool acquired_since_last_wait();
  // Has it, since that call?
  bool is_acquired_since() const { return body_.acquisitions.load() != seen_acquisitions_; }
  // Blocks at most until the deadline.
  //
  //   rescue     tries, and finds dead holders
  //   wait_once  waits for a while, and tries; it gets the deadline, and when the wait began
  template <class Rescue, class WaitOnce>
  Outcome wait(int64_t deadline_ns, Rescue rescue, WaitOnce wait_once);
  // Waits parked, and not for long. `waits_since_ns` is when the thread began to wait.
  //
  //   try_once   does not block
  //   rescue     tries, and finds dead holders
  //   sleep      sleeps while it is free and cannot be had, at most until a deadline; then tries
  template <class Try, class Rescue, class Sleep>
  Outcome wait_parked(int64_t deadline_ns, int64_t waits_since_ns, Try try_once, Rescue rescue,
                      Sleep sleep);

  // Watches the owner, so that its death ends a wait of this agent.
  void watch();
  // May this agent, which has enrolled at `index`, look more seldom than each slice? Ask at each
  // look; the second yes in a row counts (core/registry/dozing.h).
  bool may_doze(int index);
  // Before a release.
  void wake_dozers_first() {
    if (is_anybody_dozing(body_.waiters)) call_dozers();
  }
  // After a release.
  void wake_waiter();
  // Wakes one waiter instead of this agent.
  void pass_on();
  // This agent has acquired it.
  void acquired() {
    // Of those who gave way, some may be parked.
    if (giving_way_.end()) parking_.ask();
  }
  GivingWay& giving_way() { return giving_way_; }

 private:
  struct Turn {
    AgentId owner;
    uint64_t acquisitions;
    bool operator==(const Turn& other) const {
      return owner == other.owner && acquisitions == other.acquisitions;
    }
  };
  bool is_free() const { return body_.owner.load(std::memory_order_relaxed) == 0; }
  // Are there more threads that wait or hold it than processors?
  bool is_crowded() const;
  void call_dozers();
  Turn turn() const {
    return {body_.owner.load(), body_.acquisitions.load(std::memory_order_relaxed)};
  }

  Agent& agent_;
  Object& object_;
  OwnedBody& body_;
  GivingWay giving_way_;
  Parking parking_;
  Spin spin_;
  uint64_t seen_acquisitions_ = 0;  // by the last wait
  bool has_short_turns_ = false;
  // When it was last seen crowded, and how often it had been acquired.
  int64_t crowd_seen_ns_ = 0;
  uint64_t crowd_acquisitions_ = 0;
  uint64_t doze_acquisitions_ = 0;  // when it last asked whether it may doze, or began to wait
};

template <class Rescue, class WaitOnce>
Outcome OwnedWaits::wait(int64_t deadline_ns, Rescue rescue, WaitOnce wait_once) {
  const int64_t since_ns = platform::monotonic_ns();
  Outcome outcome;
  if (spin_unless_crowded()) outcome = rescue();
  while (!outcome) {
    outcome = wait_once(deadline_ns, since_ns);
    if (platform::monotonic_ns() >= deadline_ns) break;
  }
  return outcome;
}

template <class Try, class Rescue, class Sleep>
Outcome OwnedWaits::wait_parked(int64_t deadline_ns, int64_t waits_since_ns, Try try_once,
                                Rescue rescue, Sleep sleep) {
  const int64_t until_ns = std::min(deadline_ns, platform::monotonic_ns() + kKernelWait_ns);
  const auto sleep_and_try = [&] {
    if (giving_way_.is_due()) {
      parking_.sleep(std::min(until_ns, giving_way_.next_look_ns()));
      return rescue();
    }
    const Turn before = turn();
    if (before.owner == 0) return sleep(until_ns);
    if (!parking_.sleep(until_ns)) return Outcome{};
    // Woken, and nobody has had it: this is the alarm of an agent that ended.
    if (turn() == before) return rescue();
    giving_way_.announce(waits_since_ns);
    spin_briefly();
    return try_once();
  };
  return wait_in_kernel(agent_, body_.waiters, [&] {
    do {
      parking_.ask();
      if (Outcome outcome = try_once()) return outcome;  // INV-4: after asking
      if (Outcome outcome = sleep_and_try()) {
        parking_.ask();  // for those who sleep behind this thread
        return outcome;
      }
    } while (platform::monotonic_ns() < until_ns);
    parking_.ask();  // it may have been woken a moment ago, in place of another
    giving_way_.announce(waits_since_ns);
    return rescue();
  });
}

}  // namespace holdfast::core

#endif
