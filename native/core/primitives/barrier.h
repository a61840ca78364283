// Barrier: one word for round, phase and count, changed by single stores in a critical section; and
// a table of the agents that have arrived.
//
//   arrive   Write the own id into the next place of the table, then count one more. The last one
//            to arrive runs the action, if there is one, and opens the next round.
//   wait     Wait until the word names a later round, or says broken.
//   death    An agent that has arrived, or the one that runs the action, is dead: the first to see
//            it breaks the barrier.
//
// INV-18 One store moves the word. So round, phase and count agree after any death in the critical
// section.
//
// INV-19 A round is over for all who arrived in it, or for none: they read the same word.
#ifndef HOLDFAST_CORE_PRIMITIVES_BARRIER_H
#define HOLDFAST_CORE_PRIMITIVES_BARRIER_H

#include "core/waiting/critical_section.h"
#include "core/waiting/waiting.h"

namespace holdfast::core {

struct Arrival {
  ArrivalStatus status = ArrivalStatus::not_yet;
  uint64_t round = 0;
  uint32_t index = 0;
  explicit operator bool() const { return status != ArrivalStatus::not_yet; }
};

class Barrier {
 public:
  Barrier(Agent& agent, Object& object)
      : agent_(agent), object_(object), body_(*object.body<BarrierBody>()) {}

  // not_yet if the round before is not over. `acts`: the last one to arrive has to run the action.
  Arrival arrive(bool acts);
  Arrival wait_to_arrive(bool acts, int64_t deadline_ns);
  // The action is done: everybody may go. broken if the barrier broke meanwhile.
  ArrivalStatus finish(uint64_t round);
  // What has become of a round that this agent arrived in.
  ArrivalStatus check_round(uint64_t round);
  ArrivalStatus wait(uint64_t round, int64_t deadline_ns);
  // Is the round over in a moment?
  bool spin_briefly() {
    const uint64_t round = Round::of(body_.state.load()).number;
    return spin_([this, round] { return Round::of(body_.state.load()).number != round; });
  }
  void watch();

  // All three: busy if the mutex could not be had.
  Code break_round(uint64_t round);  // the caller arrived in it and leaves before it is over
  Code abort();
  Code reset();
  void abandon();

  uint32_t parties() const { return object_.initial(); }
  bool broken();  // or about to be: one that has arrived is dead
  uint32_t waiting() const;
  BarrierBody& body() { return body_; }
  uint64_t waiters_tag() const { return object_.tag(); }
  uint64_t arrivals_tag() const { return object_.tag() + 1; }

 private:
  std::atomic<uint64_t>& place(uint64_t index) const {
    return object_.entry<std::atomic<uint64_t>>(index);
  }
  bool is_current(const Round& round) const {
    return Round::of(body_.state.load()).number == round.number;
  }
  Arrival arrive_in_section(bool acts);
  void open_next(const Round& round, bool tripped);
  void store_broken(Round round);
  bool has_dead(const Round& round);
  void wake_both_sets();

  Agent& agent_;
  Object& object_;
  BarrierBody& body_;
  Spin spin_;
};

}  // namespace holdfast::core

#endif
