// How a waiter finds out that an agent died between two steps, and left an object free that nobody
// can acquire: nothing has changed for two slices. And that an overdue agent does not come: nothing
// has changed for one (giving_way.h).
//
// A word in the object says what was found and when. So two tries in vain that are two slices apart
// are enough, even if different programs make them.
//
// The word only says when to try a rescue. Whether the rescue succeeds is decided elsewhere
// (INV-1). So an answer that comes too early is harmless. It comes too early if a live agent was
// stopped between its two steps, or if an agent is in another time namespace, where the clock
// differs.
#ifndef HOLDFAST_CORE_WAITING_PATIENCE_H
#define HOLDFAST_CORE_WAITING_PATIENCE_H

#include <atomic>
#include <cstdint>

#include "core/agreed.h"

namespace holdfast::core {

class Patience {
 public:
  // `word` is as in layout.h.
  explicit Patience(std::atomic<uint64_t>& word) : word_(word) {}

  // For a try that found the object free and could not have it. True if it was found so `limit_ms`
  // ago or earlier, and has not been acquired since. Then the time begins anew: of several that
  // look at once, one is told.
  bool exhausted(uint64_t acquisitions, uint64_t limit_ms = kTwoSlices_ms);

  static constexpr uint64_t kTwoSlices_ms = 2 * kSlice_ms;

 private:
  std::atomic<uint64_t>& word_;
};

}  // namespace holdfast::core

#endif
