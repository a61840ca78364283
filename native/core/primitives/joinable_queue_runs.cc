// Runs of done records in a JoinableQueue, which a walk steps over at once: see joinable_queue.h.
#include "core/kill_point.h"
#include "core/primitives/joinable_queue.h"

namespace holdfast::core {

namespace {

// `deliveries` of a record that is done and begins a run of done records is the length of the run,
// in units and in records. Bit 63 tells it from a number of deliveries.
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

// Finds the run of done records that begins at `from`; it may be empty. Writes its length down for
// the next walk, so that each record is stepped over about once. False if the ring makes no sense.
bool JoinableQueue::measure_run(const View& view, uint64_t from, Run* run) {
  const uint64_t units = (offset_of(view.tail) - from) & kOffsetMask;
  uint64_t known = 0;
  while (run->units < units) {
    const uint64_t offset = (from + run->units) & kOffsetMask;
    if (owner_at(view, offset).load() != kDone) break;
    const uint64_t word = deliveries_at(view, offset).load();
    const bool is_skip = (word & kIsSkip) != 0;
    const uint64_t step =
        is_skip ? skip_units(word) : needed(head_at(view.capacity, offset).length) / kUnit;
    if (step == 0 || step > units - run->units) return false;
    if (run->units == 0 && is_skip) known = step;
    run->units += step;
    run->items += is_skip ? skip_items(word) : 1;
    if (run->items > view.items) return false;
  }
  if (run->items > 1 && run->units != known) {
    deliveries_at(view, from).store(skip_word(run->units, run->items));
    KILL_POINT("joinable_queue.measure_run.deliveries");
  }
  return true;
}

}  // namespace holdfast::core
