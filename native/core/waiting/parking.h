// Where threads sleep in the kernel until an object is free. Whoever sleeps here is *parked*. Only
// where traits::kTimedWaits; elsewhere nobody is parked.
//
// The word says whether the next release has to wake somebody (layout.h). A release puts the time
// there with one swap and wakes one thread. Until this thread runs and looks, other releases wake
// nobody: a wake-up takes far longer than a short hold, and those who run meanwhile can have the
// object. The thread that was woken asks again before it sleeps, and when it has acquired. So those
// who sleep behind it are woken in their turn.
//
// A thread that was woken may have to wait for a processor, for several milliseconds. So after
// 100 us a release wakes one more.
//
// INV-4 holds here too: a thread asks and then tries; a waker makes the object free and then looks.
//
// INV-6 too: a thread that dies when it was woken costs the others 100 us, and the rest of their
// time here if nobody releases the object again.
#ifndef HOLDFAST_CORE_WAITING_PARKING_H
#define HOLDFAST_CORE_WAITING_PARKING_H

#include <atomic>
#include <cstdint>

#include "core/layout.h"

namespace holdfast::core {

class Parking {
 public:
  Parking(std::atomic<uint32_t>& word, AgentId me) : word_(word), me_(me) {}

  // The next release is to wake somebody.
  void ask();
  // Blocks until this thread was woken, at most until the deadline; not if somebody was woken since
  // it asked. False if the deadline passed.
  bool sleep(int64_t deadline_ns);

  // After an atomic read-modify-write that made the object free (INV-4). While an agent is overdue
  // (registry/overdue.h) it is the one to wake, because the others would give way to it.
  void wake_one(const WaitSet& set);

 private:
  // Asked of each release: was the last thread woken so long ago that one more is to be?
  bool is_late(uint32_t woken);

  std::atomic<uint32_t>& word_;
  const AgentId me_;
  uint32_t releases_ = 0;
};

}  // namespace holdfast::core

#endif
