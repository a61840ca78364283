// Lock: a semaphore to wait on, an owner word to hold.
//
//   acquire   take a token from the semaphore, then swap `owner` 0 -> me. If the swap fails the
//   token
//             was surplus: drop it.
//   release   swap `owner` -> 0, post a token, wake one waiter.
//   rescue    `owner` is dead: swap dead -> me (acquired, abandoned). `owner` is 0 and neither a
//   token
//             nor an acquisition has come for two slices: somebody died between two steps; post
//             one. Whose tries saw that does not matter (patience.h).
//
// INV-1 The swap is the lock: at most one live agent is in `owner`. Tokens are permits to try.
// INV-2 A surplus token is harmless: whoever draws it fails the swap and drops it. So a rescue may
//       always post.
// INV-3 A lost token is found: `owner` == 0 without a token is mended by the next tries of
// anybody, two of which are two slices apart.
#ifndef HOLDFAST_CORE_PRIMITIVES_LOCK_H
#define HOLDFAST_CORE_PRIMITIVES_LOCK_H

#include "core/waiting/waiting.h"

namespace holdfast::core {

class Lock {
 public:
  Lock(Agent& agent, Object& object)
      : agent_(agent),
        object_(object),
        body_(*object.body<OwnedBody>()),
        hold_(agent.hold_number(object)),
        patience_(body_.patience) {}

  Outcome try_acquire() { return platform::try_wait(object_.semaphore()) ? claim(0) : Outcome{}; }
  // Tries, and if that fails sees whether there is somebody to wait for at all.
  Outcome try_acquire_or_rescue();
  // Blocks at most until the deadline.
  Outcome wait(int64_t deadline_ns);
  // Is it free, or will it be in a moment?
  bool spin_briefly() {
    return spin_([this] { return body_.owner.load(std::memory_order_relaxed) == 0; });
  }
  // Whoever is in the way: its death is to end a wait of this agent.
  void watch();

  // By anyone, as in Python; not_locked if nobody holds it.
  Code release();
  // Only the hold of this number; not_locked if it was ended by somebody else.
  Code release_hold(uint64_t hold);
  // Just acquired again by whoever had given it up: makes it the hold that it was.
  void resume(uint64_t hold, uint32_t depth);
  // At the end of the agent, if it held this: wake somebody who will find out.
  void abandon();

  AgentId owner() const { return body_.owner.load(); }
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
  bool acquired_since_last_wait();
  Outcome wait_for_token(int64_t deadline_ns);
  Outcome wait_for_wake(int64_t deadline_ns);
  void wake();

  Agent& agent_;
  Object& object_;
  OwnedBody& body_;
  const std::shared_ptr<HoldNumber> hold_;
  Patience patience_;
  Spin spin_;
  uint64_t seen_acquisitions_ = 0;  // by the last wait
};

}  // namespace holdfast::core

#endif
