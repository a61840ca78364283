// Runs of records that are done or void, which a walk steps over at once: see layout.h.
#include "core/kill_point.h"
#include "core/primitives/queue.h"

namespace holdfast::core {

namespace {

// `deliveries` of the first record of a run is the length of the run, in units and in items. Bit 63
// tells it from a number of deliveries.
constexpr uint64_t kIsSkip = uint64_t{1} << 63;
constexpr uint32_t kSkipUnitBits = 39;
static_assert(kQueueBytesMax / kUnit < uint64_t{1} << kSkipUnitBits);
static_assert(kQueueItemsMax < uint64_t{1} << (63 - kSkipUnitBits));

uint64_t skip_word(uint64_t units, uint64_t items) {
  return kIsSkip | items << kSkipUnitBits | units;
}
uint64_t skip_units(uint64_t word) { return word & ((uint64_t{1} << kSkipUnitBits) - 1); }
uint64_t skip_items(uint64_t word) { return (word & ~kIsSkip) >> kSkipUnitBits; }

}  // namespace

// A live agent got this record, and could not enter the critical section to say so.
void Queue::count_gone(const View& view, uint64_t offset) {
  owner_at(view, offset).store(kDone);
  KILL_POINT("queue.count_gone.owner");
  const Counts before = counts();
  set_counts({before.done + 1, before.leased - 1});
  KILL_POINT("queue.count_gone.counts");
  count_gets(1);
}

// Finds the run that begins at `from`; it may be empty. Writes its length down for the next walk,
// so that each record is stepped over about once. False if the ring makes no sense.
bool Queue::measure_run(const View& view, uint64_t from, Run* run) {
  const uint64_t units = (offset_of(view.tail) - from) & kOffsetMask;
  uint64_t known = 0, steps = 0;
  for (; run->units < units; steps++) {
    const uint64_t offset = (from + run->units) & kOffsetMask;
    const uint64_t owner = owner_at(view, offset).load();
    if (owner == kGone) count_gone(view, offset);
    if (owner < kVoid) break;
    const uint64_t word = deliveries_at(view, offset).load();
    const bool is_skip = owner != kGone && (word & kIsSkip) != 0;
    const uint64_t step = is_skip ? skip_units(word) : needed(head_at(view, offset).length) / kUnit;
    if (step == 0 || step > units - run->units) return false;
    if (run->units == 0 && is_skip) known = step;
    run->units += step;
    run->items += is_skip ? skip_items(word) : owner != kVoid;
    if (run->items > view.items) return false;
  }
  if (steps > 1 && run->units != known) {
    deliveries_at(view, from).store(skip_word(run->units, run->items));
    KILL_POINT("queue.measure_run.deliveries");
  }
  return true;
}

}  // namespace holdfast::core
