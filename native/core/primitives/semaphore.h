// Semaphore: a bare POSIX named semaphore. Permits have no owner, so a permit that a dead process
// had taken is gone, and a program in any language can take part.
#ifndef HOLDFAST_CORE_PRIMITIVES_SEMAPHORE_H
#define HOLDFAST_CORE_PRIMITIVES_SEMAPHORE_H

#include "core/waiting/waiting.h"

namespace holdfast::core {

class Semaphore {
 public:
  Semaphore(Agent& agent, Object& object)
      : agent_(agent),
        object_(object),
        body_(*object.body<SemaphoreBody>()),
        giving_way_(agent, body_.waiters) {}

  Outcome try_acquire() {
    if (giving_way_.is_due()) return {};
    return platform::try_wait(object_.semaphore()) ? taken() : Outcome{};
  }
  Outcome try_acquire_or_rescue();
  Outcome wait(int64_t deadline_ns);
  // Is a permit there, or will one be in a moment?
  bool spin_briefly() {
    return spin_([this] { return value() > 0; });
  }
  // Permits have no owner whose death would bring them back.
  void watch() { giving_way_.watch(); }
  // Wakes as many waiters as there are permits, instead of this agent.
  void pass_on();

  // All of `count` or none: over_release.
  Code release(uint32_t count);
  int32_t value() const;
  bool is_free() const { return value() > 0; }

  SemaphoreBody& body() { return body_; }
  WaitSet& waiters() { return body_.waiters; }
  uint64_t tag() const { return object_.tag(); }

 private:
  Outcome taken();

  Agent& agent_;
  Object& object_;
  SemaphoreBody& body_;
  GivingWay giving_way_;
  Spin spin_;
};

}  // namespace holdfast::core

#endif
