#include "core/registry/dozing.h"

#include "core/kill_point.h"
#include "core/registry/wait_set.h"

namespace holdfast::core {

namespace {

constexpr uint64_t kMayDoze = 1;
constexpr uint64_t kCounted = 2;

}  // namespace

void begin_to_doze(WaitSet& set) {
  uint64_t word = set.dozing.load();
  while (!set.dozing.compare_exchange_weak(word, (word + kCounted) | kMayDoze)) {
  }
  KILL_POINT("dozing.begin.word");
  platform::fence_after_rmw();  // INV-4: pairs with the fence in wake_one
}

bool wake_dozers(WaitSet& set, Registry& registry, uint64_t tag) {
  uint64_t word = set.dozing.load();
  if ((word & kMayDoze) == 0) return false;
  const bool anybody = ring_all(set, registry, tag);
  set.dozing.compare_exchange_strong(word, word & ~kMayDoze);
  KILL_POINT("dozing.wake.word");
  return anybody;
}

}  // namespace holdfast::core
