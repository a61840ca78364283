// Event: one word. Bit 0 says whether it is set. The bits above count how often it was set, so a
// waiter that sleeps through a set() and the clear() after it still notices the set().
#ifndef HOLDFAST_CORE_PRIMITIVES_EVENT_H
#define HOLDFAST_CORE_PRIMITIVES_EVENT_H

#include "core/waiting/waiting.h"

namespace holdfast::core {

class Event {
 public:
  Event(Agent& agent, Object& object)
      : agent_(agent), object_(object), body_(*object.body<EventBody>()) {}

  void set();
  void clear();
  bool is_set() const { return (body_.word.load() & 1) != 0; }

  // How often it was set until now. A wait begins with this number.
  uint64_t sets() const { return body_.word.load() >> 1; }
  // Is it set, or was it set since `since` was read?
  bool happened(uint64_t since) const {
    const uint64_t word = body_.word.load();
    return (word & 1) != 0 || word >> 1 != since;
  }
  // Blocks at most until the deadline.
  bool wait(uint64_t since, int64_t deadline_ns);

  // Is it set, or will it be in a moment?
  bool spin_briefly() {
    const uint64_t since = sets();
    return spin_([this, since] { return happened(since); });
  }
  void watch() {}  // nobody in particular is waited for
  EventBody& body() { return body_; }
  WaitSet& waiters() { return body_.waiters; }
  uint64_t tag() const { return object_.tag(); }

 private:
  Agent& agent_;
  Object& object_;
  EventBody& body_;
  Spin spin_;
};

}  // namespace holdfast::core

#endif
