// Lock: a semaphore to wait on, an owner word to hold.
//
//   acquire   Take a token from the semaphore, then swap `owner` from 0 to the own id. If the swap
//             fails, the token was surplus: drop it.
//   release   Swap `owner` to 0, post a token, wake one waiter.
//   rescue    `owner` is a dead agent: swap it for the own id (acquired, abandoned).
//             `owner` is 0, and for two slices there was neither a token nor an acquisition: an
//             agent died between two steps, so post a token. It does not matter whose tries saw
//             that (patience.h).
//
// INV-1 The swap is the lock: at most one live agent is in `owner`. Tokens are permits to try.
//
// INV-2 A surplus token is harmless: the thread that takes it fails the swap and drops it. So a
// rescue may always post.
//
// INV-3 A lost token is found: if `owner` is 0 and there is no token, two tries that are two slices
// apart mend that, by any agents.
#ifndef HOLDFAST_CORE_PRIMITIVES_LOCK_H
#define HOLDFAST_CORE_PRIMITIVES_LOCK_H

#include "core/primitives/owned_waits.h"

namespace holdfast::core {

class Lock {
 public:
  Lock(Agent& agent, Object& object)
      : agent_(agent),
        object_(object),
        body_(*object.body<OwnedBody>()),
        hold_(agent.hold_number(object)),
        patience_(body_.patience),
        waits_(agent, object) {}

  Outcome try_acquire() {
    if (waits_.giving_way().is_due()) return {};
    return platform::try_wait(object_.semaphore()) ? claim(0) : Outcome{};
  }
  // Tries. If that fails, and the holder is dead or the token is lost, takes the lock over.
  Outcome try_acquire_or_rescue();
  // The same for an agent that has enrolled. It does not ask whether the holder lives if its event
  // loop hears of that.
  Outcome try_acquire_enrolled();
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

  // Anyone may release, as in Python. not_locked if nobody holds it.
  Code release();
  // Ends only the hold of this number. not_locked if somebody else has ended it.
  Code release_hold(uint64_t hold);
  // The caller gave a hold up and has just acquired again: gives the new hold the old number.
  void resume(uint64_t hold, uint32_t depth);
  // At the end of an agent that holds this: wakes a waiter, which finds a dead owner.
  void abandon();

  AgentId owner() const { return body_.owner.load(); }
  // Nobody alive holds it. A dead owner does not lock anybody out.
  bool is_free() const { return owner() == 0 || !agent_.registry().alive(owner()); }
  // Somebody looks at it, once a slice.
  void note_hold() {
    if (owner() != 0) HeldSince(body_.held_since).note(body_.acquisitions.load());
  }
  bool is_held_by_caller() const { return owner() == agent_.id(); }
  uint32_t depth() const { return owner() != 0 ? 1 : 0; }
  bool is_current_hold(uint64_t hold) const { return is_held_by_caller() && hold_number() == hold; }
  static constexpr bool kManyHolds = false;  // of one agent at one time
  // Of this agent's present or last hold.
  uint64_t hold_number() const { return hold_->value; }
  OwnedBody& body() { return body_; }
  WaitSet& waiters() { return body_.waiters; }
  uint64_t tag() const { return object_.tag(); }

 private:
  Outcome claim(AgentId from);
  Outcome wait_once(int64_t deadline_ns, int64_t waits_since_ns);
  Outcome wait_for_wake(int64_t deadline_ns);
  void wake();

  Agent& agent_;
  Object& object_;
  OwnedBody& body_;
  const std::shared_ptr<HoldNumber> hold_;
  Patience patience_;
  OwnedWaits waits_;
};

}  // namespace holdfast::core

#endif
