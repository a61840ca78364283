// RLock: an owner word to hold, a depth to count, a robust mutex to wait in.
//
//   acquire   `owner` is me: one deeper. Else lock the mutex, then swap `owner` 0 or dead -> me.
//   release   one less deep; at 0 write 0 into `owner`, unlock the mutex, wake one waiter.
//   death     the kernel marks the mutex and wakes a waiter at once. Whoever swaps a dead agent out
//   of
//             `owner` is told.
//   rescue    the mutex cannot be had although `owner` is dead, or has been 0 for two slices: hold
//             without it. The word is the lock; the mutex is the bed.
//
// INV-1 holds here as in lock.h: the swap is the lock, at most one live agent is in `owner`.
// INV-11 Whoever has the mutex and not the word gives the mutex back at once, and waits at its
// doorbell.
//
// A dead agent in `owner` died, or ended, while holding. Death between two steps of an acquisition
// or of a release leaves 0 there or older news, and nothing of the user's half done.
#ifndef HOLDFAST_CORE_PRIMITIVES_RLOCK_H
#define HOLDFAST_CORE_PRIMITIVES_RLOCK_H

#include "core/waiting/waiting.h"

namespace holdfast::core {

class RLock {
 public:
  RLock(Agent& agent, Object& object)
      : agent_(agent),
        object_(object),
        body_(*object.body<OwnedBody>()),
        hold_(agent.hold_number(object)),
        patience_(body_.patience) {}

  // Tries, and if that fails sees whether there is somebody to wait for at all.
  Outcome try_acquire_or_rescue();
  Outcome try_acquire();
  // Blocks at most until the deadline.
  Outcome wait(int64_t deadline_ns);
  // Is it free, or will it be in a moment?
  bool spin_briefly() {
    return spin_([this] { return body_.owner.load(std::memory_order_relaxed) == 0; });
  }
  // Whoever is in the way: its death is to end a wait of this agent.
  void watch();

  Code release();  // not_owner unless this agent holds it
  // Only within the outermost hold of this number.
  Code release_hold(uint64_t hold);
  // Just acquired again by whoever had given it up: makes it the hold that it was.
  void resume(uint64_t hold, uint32_t depth);
  // At the end of the agent, if it held this: wake somebody who will find out.
  void abandon();
  // Before a handle of this agent goes. A mutex that it still has, though the owner word is
  // another's, it has only because somebody wrote over that word.
  void unlock_stray_mutex();

  AgentId owner() const { return body_.owner.load(); }
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
  void unlock_mutex();

  Agent& agent_;
  Object& object_;
  OwnedBody& body_;
  const std::shared_ptr<HoldNumber> hold_;
  Patience patience_;
  Spin spin_;
};

}  // namespace holdfast::core

#endif
