// Giving way to an overdue agent (core/registry/overdue.h): all others leave the object free until
// that one has acquired it. So nobody waits for ever beside an agent that takes it again and again.
//
// The word says who should try, and not who holds. A word that comes late, or names an agent that
// has died, costs others a try, and is never a second holder (INV-1).
//
// INV-23 While an agent is overdue, each other one acquires at most once more: one that was about
//        to, or is woken in the kernel. An agent gives way for a bounded time: until the
//        overdue agent acquires, withdraws or dies, or has left the object free for too long: for
//        a 64th of the time that it had waited, and for a slice at most. So an agent that cannot
//        run at once holds the others up little, and waits with less and less risk.
#ifndef HOLDFAST_CORE_WAITING_GIVING_WAY_H
#define HOLDFAST_CORE_WAITING_GIVING_WAY_H

#include "core/agents/agent.h"
#include "core/registry/overdue.h"

namespace holdfast::core {

class GivingWay {
 public:
  GivingWay(Agent& agent, WaitSet& set) : agent_(agent), set_(set) {}

  // Is another agent overdue? One load of a word that is in the cache already.
  bool is_due() const {
    const uint64_t word = set_.overdue.load(std::memory_order_relaxed);
    return word != 0 && !is_overdue(word, agent_.id());
  }
  // For a try that gave way. True if it need not any longer, because the other agent is dead, or
  // has left the object free for too long. With each of the object's `acquisitions` the time
  // begins anew.
  bool has_lapsed(bool is_free, uint64_t acquisitions);
  // When a sleeper that gives way is to ask that again.
  int64_t next_look_ns() const { return platform::monotonic_ns() + platform::kNanosPerMilli; }
  // This agent has waited in vain since then. Whoever waits ends that: see end().
  void announce(int64_t since_ns);
  // This agent has acquired, or waits no more. True if others may have given way to it: then those
  // are to be woken for whom something is left.
  bool end() { return end_overdue(set_, agent_.id()); }
  // The death of the agent that is given way to is to end a wait of this one.
  void watch();

 private:
  Agent& agent_;
  WaitSet& set_;
};

}  // namespace holdfast::core

#endif
