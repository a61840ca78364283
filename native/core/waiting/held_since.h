// Since when an object is held, without a clock in its acquisition.
//
// Whoever sees the object held writes down when that was: its holder once a slice, and a waiter at
// each slice of its wait. So the time is known after a slice, and is a slice late at the most as
// long as one of them comes by. A hold that nobody has looked at has no time.
//
// The word (layout.h) is for people only. Nothing in a protocol depends on it.
#ifndef HOLDFAST_CORE_WAITING_HELD_SINCE_H
#define HOLDFAST_CORE_WAITING_HELD_SINCE_H

#include <atomic>
#include <cstdint>

namespace holdfast::core {

class HeldSince {
 public:
  explicit HeldSince(std::atomic<uint64_t>& word) : word_(word) {}

  // It is held now, and was acquired so many times until now.
  void note(uint64_t acquisitions);
  // For how long it has been seen held since the last of so many acquisitions. -1: not seen yet.
  int64_t age_ms(uint64_t acquisitions) const;

 private:
  std::atomic<uint64_t>& word_;
};

}  // namespace holdfast::core

#endif
