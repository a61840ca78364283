// RLock: an owner word to hold, a depth to count, a robust mutex to wait in.
//
//   acquire   `owner` is the caller: one deeper. Otherwise lock the mutex, then swap `owner` from 0
//             or a dead agent to the own id.
//   release   One less deep. At 0: write 0 into `owner`, unlock the mutex, wake one waiter.
//   death     The kernel marks the mutex and wakes a waiter at once. The agent that swaps the dead
//             one out of `owner` is told.
//   rescue    The mutex cannot be locked although `owner` is dead, or has been 0 for two slices:
//             hold without it. The word is the lock; the mutex is only the place to wait.
//
// INV-1 holds here as in lock.h: the swap is the lock, at most one live agent is in `owner`.
//
// INV-11 An agent that has the mutex and not the word gives the mutex back at once, and waits at
// its doorbell.
//
// If a dead agent is in `owner`, it died or ended while it held the lock. An agent that dies
// between two steps of an acquisition or of a release leaves 0 there, or what was there before.
// Then no work of the user is half done.
#ifndef HOLDFAST_CORE_PRIMITIVES_RLOCK_H
#define HOLDFAST_CORE_PRIMITIVES_RLOCK_H

#include "core/primitives/owned_waits.h"

namespace holdfast::core {

class RLock {
 public:
  RLock(Agent& agent, Object& object)
      : agent_(agent),
        object_(object),
        body_(*object.body<OwnedBody>()),
        hold_(agent.hold_number(object)),
        patience_(body_.patience),
        waits_(agent, object) {}

  // Tries. If that fails, and the holder is dead, takes the lock over.
  Outcome try_acquire_or_rescue();
  // The same for an agent that has enrolled. It does not ask whether the holder lives if its event
  // loop hears of that.
  Outcome try_acquire_enrolled();
  Outcome try_acquire();
  // Blocks at most until the deadline.
  Outcome wait(int64_t deadline_ns);
  // Is it free, or will it be in a moment?
  bool spin_briefly() { return waits_.spin_briefly(); }
  // Watches the owner, so that its death ends a wait of this agent.
  void watch() { waits_.watch(); }
  // See core/registry/dozing.h.
  bool may_doze(int index) { return waits_.may_doze(index); }
  // Wakes one waiter instead of this agent.
  void pass_on() { waits_.pass_on(); }

  Code release();  // not_owner unless this agent holds it
  // Only within the outermost hold of this number.
  Code release_hold(uint64_t hold);
  // The caller gave a hold up and has just acquired again: gives the new hold its number and depth.
  void resume(uint64_t hold, uint32_t depth);
  // At the end of an agent that holds this: wakes a waiter, which finds a dead owner.
  void abandon();
  // Before this agent closes the object. If it still has the mutex although the word names another
  // agent, then another program wrote over the word.
  void unlock_stray_mutex();

  AgentId owner() const { return body_.owner.load(); }
  // Nobody alive holds it. A dead owner does not lock anybody out.
  bool is_free() const { return owner() == 0 || !agent_.registry().alive(owner()); }
  // Somebody looks at it, once a slice.
  void note_hold() {
    if (owner() != 0) HeldSince(body_.held_since).note(body_.acquisitions.load());
  }
  bool is_held_by_caller() const {
    return body_.owner.load(std::memory_order_relaxed) == agent_.id();
  }
  uint32_t depth() const {
    return is_held_by_caller() ? body_.depth.load(std::memory_order_relaxed) : 0;
  }
  bool is_current_hold(uint64_t hold) const { return is_held_by_caller() && hold_number() == hold; }
  static constexpr bool kManyHolds = false;  // of one agent at one time
  // Of this agent's present or last hold.
  uint64_t hold_number() const { return hold_->value; }
  OwnedBody& body() { return body_; }
  WaitSet& waiters() { return body_.waiters; }
  uint64_t tag() const { return object_.tag(); }

 private:
  Outcome acquire_again();
  Outcome claim(AgentId from);
  Outcome claim_with(platform::MutexResult result);
  Outcome wait_once(int64_t deadline_ns, int64_t waits_since_ns);
  Outcome wait_in_mutex(int64_t deadline_ns);
  Outcome wait_for_wake(int64_t deadline_ns);
  void unlock_mutex();

  Agent& agent_;
  Object& object_;
  OwnedBody& body_;
  const std::shared_ptr<HoldNumber> hold_;
  Patience patience_;
  OwnedWaits waits_;
};

}  // namespace holdfast::core

#endif
