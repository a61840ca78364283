// An agent that waits for a Lock or RLock may *doze*: look every second (kDoze_ms), and not
// every slice. It may do so while it watches the owner. The word `dozing` of the wait set says that
// somebody dozes. The words are in layout.h; nothing here blocks.
//
// INV-28 While an agent dozes, it watches the agent in the owner word; or a wake-up, or the news of
//        a death, is on its way to it. So no hold ends, and no holder dies, without its knowledge.
//
//   to doze   1. Set bit 0 and count. Go on only if the owner is the one that is watched, and the
//                own entry is in the wait set with its bit.
//             2. After one more slice do the same again. Then doze.
//   release   1. If bit 0 is set, ring for all in the wait set, and then take it away, unless
//                somebody has counted since it was read.
//             2. Take the owner word back.
//             3. If bit 0 is set, the same as 1. Else wake one.
//   wake      Whoever wakes somebody else does the same as 3.
//
// Step 1 of a release comes first so that a death or a stop after step 2 costs no more than a
// slice, even if it is not the owner who releases: those who dozed look each slice by then. Step 3
// is for those who begin to doze meanwhile (INV-4).
//
// To ring for somebody takes nobody out of the wait set, and needs no bit there. So a waker that
// dies in the middle takes nothing away that the next one needs. Other wakers take an agent out
// before they wake it (INV-5); one that dies in between is not watched by that agent. The second
// slice of the one that begins to doze is for that: a waker that has not seen bit 0 is through by
// then.
//
// Only the count keeps the bit of an agent that dozes again beside the next owner from being taken
// away. The bit has to stay until all are woken, because a late releaser may die when the next
// owner is watched in its place (spec/dozing.pml).
//
// What is left costs a doze instead of a slice (INV-6): a waker is stopped for a slice in the
// middle of its work, and killed or stopped again in it later; or a waker has no descriptor left.
#ifndef HOLDFAST_CORE_REGISTRY_DOZING_H
#define HOLDFAST_CORE_REGISTRY_DOZING_H

#include "core/layout.h"
#include "core/registry/registry.h"

namespace holdfast::core {

// Look at the owner and at the own entry afterwards.
void begin_to_doze(WaitSet& set);

// One load of a word that is in the cache already.
inline bool is_anybody_dozing(const WaitSet& set) {
  return (set.dozing.load(std::memory_order_relaxed) & 1) != 0;
}

// Rings for all in the set if somebody dozes. True if somebody alive was there.
bool wake_dozers(WaitSet& set, Registry& registry, uint64_t tag);

}  // namespace holdfast::core

#endif
