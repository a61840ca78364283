// Condition: a table of waiting agents. Only the holder of the condition's lock changes it.
//
//   wait     With the lock: enter the table. Then release the lock, wait to be notified, and
//            acquire the lock again. With the lock again: leave the table.
//   notify   With the lock: mark those who live and have waited longest as `notified`, wake them.
//   rescue   With the lock: take a notified agent that is dead out, and notify the next one.
//
// INV-17 A notification is in the table from notify() until a live waiter has the lock again. So no
// death loses it: a waiter that sees a dead notified agent acquires the lock and rescues.
//
// This class does not acquire the lock. Its callers do.
#ifndef HOLDFAST_CORE_PRIMITIVES_CONDITION_H
#define HOLDFAST_CORE_PRIMITIVES_CONDITION_H

#include "core/waiting/waiting.h"

namespace holdfast::core {

class Condition {
 public:
  Condition(Agent& agent, Object& object)
      : agent_(agent), object_(object), body_(*object.body<ConditionBody>()) {}

  // All users of a condition mean the same lock; false if this is another.
  bool bind(uint64_t lock_tag);

  // ---- with the lock

  int begin();                      // the place in the table; -1 if it is full
  bool finish(int place);           // was it notified?
  uint32_t notify(uint32_t count);  // how many were
  void rescue();

  // ---- without

  WaitStatus status_of(int place);
  WaitStatus wait(int place, int64_t deadline_ns);
  // Is anybody notified in a moment?
  bool spin_briefly() {
    const uint64_t before = body_.notifications.load();
    return spin_([this, before] { return body_.notifications.load() != before; });
  }
  void watch();

  uint32_t waiting();
  ConditionBody& body() { return body_; }

 private:
  enum State : uint32_t { kWaiting = 1, kNotified = 2 };
  Waiting& entry(uint32_t index) const { return object_.entry<Waiting>(index); }

  Agent& agent_;
  Object& object_;
  ConditionBody& body_;
  Spin spin_;
};

}  // namespace holdfast::core

#endif
