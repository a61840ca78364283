// What a queue counts beside its records: see QueueBody in layout.h.
#include <algorithm>

#include "core/primitives/queue.h"

namespace holdfast::core {

namespace {

constexpr uint32_t kCountBits = 24;
static_assert(kQueueItemsMax == (uint64_t{1} << kCountBits) - 1);

}  // namespace

Queue::Counts Queue::counts_of(uint64_t word, uint64_t head) {
  if (word == kNoCounts) return {items_of(head), 0};
  return {word & kQueueItemsMax, word >> kCountBits & kQueueItemsMax};
}

Queue::Counts Queue::counts() const { return counts_of(body_.counts.load(), body_.head.load()); }

void Queue::set_counts(Counts counts) {
  body_.counts.store((counts.done & kQueueItemsMax) | (counts.leased & kQueueItemsMax)
                                                          << kCountBits);
}

// Positions only go on. So if both are the same after the counts were read, they were so meanwhile.
Queue::Snapshot Queue::snapshot() const {
  for (;;) {
    const uint64_t head = body_.head.load();
    const uint64_t tail = body_.tail.load();
    const uint64_t word = body_.counts.load();
    if (body_.head.load() != head || body_.tail.load() != tail) continue;
    const Counts now = counts_of(word, head);
    return {(items_of(tail) - items_of(head)) & kQueueItemsMax,
            (now.done - items_of(head)) & kQueueItemsMax, now.leased};
  }
}

uint64_t Queue::occupied() const {
  const Snapshot now = snapshot();
  return now.records - std::min(now.records, now.tombstones);
}

uint64_t Queue::counted() const {
  const Snapshot now = snapshot();
  return now.records - std::min(now.records, now.tombstones + now.leased);
}

uint64_t Queue::size() {
  // What dead agents had claimed is an item again, and so may be what a dead agent was about to
  // publish. Only a look in the critical section finds that.
  const bool may_be_more = leased() != 0 || body_.must_recount.load() != 0;
  if (may_be_more || (counted() == 0 && bytes() != 0)) bring_back();
  return counted();
}

}  // namespace holdfast::core
