// A user of a Lock or RLock that waits as an event loop does, in the wait set, without blocking.
#ifndef HOLDFAST_TEST_ENROLLED_USER_H
#define HOLDFAST_TEST_ENROLLED_USER_H

#include "core/primitives/rlock.h"
#include "support.h"

namespace holdfast::test {

template <class P>
struct EnrolledUser : User<P> {
  EnrolledUser() : User<P>("waited for") {}
  int index = -1;  // of its entry

  core::Agent& agent() { return this->party.agent(); }
  core::WaitSet& set() { return this->primitive.waiters(); }
  void enrol() {
    index = core::enrol_again(set(), agent().registry(), agent().id(), 1, index);
    this->primitive.watch();
  }
  // False if a wake-up is on its way.
  bool leave() { return core::cancel(set(), agent().id(), std::exchange(index, -1)); }
  void let_go() { CHECK_EQUAL(this->primitive.release(), Code::ok); }
};

// The event loop of a thread that cannot poll tells of no death.
struct Deaf : core::Watcher {
  bool watch_begins(size_t) override { return false; }
  void watch_ends(size_t) override {}
};

}  // namespace holdfast::test

#endif
