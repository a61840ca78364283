// RLock: a robust mutex to wait in, an owner word to hold, a depth to count.
//
//   acquire   `owner` is me: one deeper. Else lock the mutex, then write me into `owner`.
//   release   one less deep; at 0 write 0 into `owner`, unlock the mutex, ring one waiter.
//   death     the kernel marks the mutex and wakes a waiter at once. Whoever locks it and finds a dead
//             agent in `owner` is told.
//
// INV-11 `owner` is written only by whoever has the mutex. Not 0 when the mutex has just been locked
// means: that agent died or ended while holding. (Its death between the two steps of acquire or of
// release leaves `owner` 0 or older news, and nothing of the user's half done.)
#ifndef HOLDFAST_CORE_RLOCK_H
#define HOLDFAST_CORE_RLOCK_H

#include "core/waiting.h"

namespace holdfast::core {

class RLock {
 public:
  RLock(Agent& agent, Object& object)
      : agent_(agent), object_(object), body_(*object.body<OwnedBody>()) {}

  Outcome try_acquire();
  Outcome look() { return try_acquire(); }
  Outcome wait(int64_t deadline_ns);

  Code release();  // not_owner unless this agent holds it
  // Only within the outermost hold of this number.
  Code release_hold(uint64_t hold);
  void abandon();

  AgentId owner() const { return body_.owner.load(); }
  bool held_by_me() const { return body_.owner.load(std::memory_order_relaxed) == agent_.id(); }
  uint32_t depth() const { return held_by_me() ? body_.depth.load(std::memory_order_relaxed) : 0; }
  OwnedBody& body() { return body_; }
  WaitSet& waiters() { return body_.waiters; }

 private:
  Outcome deeper();
  Outcome claim(platform::MutexResult result);
  void unlock();

  Agent& agent_;
  Object& object_;
  OwnedBody& body_;
};

}  // namespace holdfast::core

#endif
