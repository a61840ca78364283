// BoundedSemaphore: a table of owner words, one for each permit.
//
//   acquire   Swap a word from 0 to the own id. If none is 0, swap a dead agent's id (acquired,
//             abandoned).
//   release   Swap the word from the own id to 0, wake one waiter.
//
// INV-1 holds for every permit as in lock.h: the swap is the permit.
// There are no tokens beside the words, so nothing can get out of step with them.
#ifndef HOLDFAST_CORE_PRIMITIVES_BOUNDED_SEMAPHORE_H
#define HOLDFAST_CORE_PRIMITIVES_BOUNDED_SEMAPHORE_H

#include <algorithm>
#include <vector>

#include "core/waiting/waiting.h"

namespace holdfast::core {

class BoundedSemaphore {
 public:
  BoundedSemaphore(Agent& agent, Object& object)
      : agent_(agent),
        object_(object),
        body_(*object.body<BoundedBody>()),
        giving_way_(agent, body_.waiters),
        holds_(agent.hold_number(object)) {
    holds_->at.resize(object.initial());
  }

  // Tries; Outcome::hold names the permit and this acquisition of it.
  Outcome try_acquire();
  // Tries. If that fails, takes the permit of a dead agent over.
  Outcome try_acquire_or_rescue();
  Outcome wait(int64_t deadline_ns);
  // Is a permit free, or will one be in a moment? Looks at the first few.
  bool spin_briefly() {
    return spin_([this] {
      bool free = false;
      for (uint32_t i = 0; i < std::min(permits(), 8u); i++) free |= owner_of(i) == 0;
      return free;
    });
  }
  void watch();
  // Wakes as many waiters as there are permits, instead of this agent.
  void pass_on();

  // Ends the acquisition of this name; not_locked if somebody else did.
  Code release_hold(uint64_t hold);
  // Gives one permit back: this agent's if it has one, otherwise anybody's. over_release if none is
  // taken.
  Code release();
  // At the end of the agent, if it held a permit.
  void abandon();

  uint32_t permits() const { return object_.initial(); }
  uint32_t value();  // permits that can be had
  bool is_free() { return value() > 0; }
  bool is_held_by_caller() const;
  bool all_held_by_caller() const;  // then waiting would be waiting for oneself
  bool is_current_hold(uint64_t hold) const;
  static constexpr bool kManyHolds = true;
  AgentId owner_of(uint32_t index) const { return permit(index).owner.load(); }
  BoundedBody& body() { return body_; }
  WaitSet& waiters() { return body_.waiters; }
  uint64_t tag() const { return object_.tag(); }

 private:
  // A hold is the number of its acquisition and, in the low bits, the place of its permit.
  static constexpr uint64_t kPlaces = kPermitsMax;

  Permit& permit(uint64_t index) const { return object_.entry<Permit>(index); }
  Outcome claim(uint32_t index, AgentId from);
  bool give_back(AgentId from);

  Agent& agent_;
  Object& object_;
  BoundedBody& body_;
  GivingWay giving_way_;
  Spin spin_;
  const std::shared_ptr<HoldNumber> holds_;
};

}  // namespace holdfast::core

#endif
