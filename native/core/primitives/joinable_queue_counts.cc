// What a JoinableQueue counts beside its records: see JoinableQueueBody in layout.h.
#include <algorithm>

#include "core/primitives/joinable_queue.h"

namespace holdfast::core {

namespace {

constexpr uint32_t kCountBits = 24;
static_assert(kQueueItemsMax == (uint64_t{1} << kCountBits) - 1);

}  // namespace

JoinableQueue::Counts JoinableQueue::counts() const {
  const uint64_t word = own_.counts.load();
  return {word & kQueueItemsMax, word >> kCountBits & kQueueItemsMax};
}

void JoinableQueue::set_counts(Counts counts) {
  own_.counts.store((counts.done & kQueueItemsMax) | (counts.leased & kQueueItemsMax)
                                                         << kCountBits);
}

// Positions only go on. So if both are the same after the counts were read, they were so meanwhile.
JoinableQueue::Snapshot JoinableQueue::snapshot() const {
  for (;;) {
    const uint64_t head = body_.head.load();
    const uint64_t tail = body_.tail.load();
    const Counts now = counts();
    if (body_.head.load() != head || body_.tail.load() != tail) continue;
    return {(items_of(tail) - items_of(head)) & kQueueItemsMax,
            (now.done - items_of(head)) & kQueueItemsMax, now.leased};
  }
}

uint64_t JoinableQueue::occupied() const {
  const Snapshot now = snapshot();
  return now.records - std::min(now.records, now.tombstones);
}

uint64_t JoinableQueue::counted() const {
  const Snapshot now = snapshot();
  return now.records - std::min(now.records, now.tombstones + now.leased);
}

uint64_t JoinableQueue::unfinished() const { return occupied() + own_.gotten.load(); }

}  // namespace holdfast::core
