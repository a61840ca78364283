// Priorities of a JoinableQueue. The records of each priority above 0 are a list in the order of
// their places (PriorityList). So a look costs the same however many records of other priorities
// are in the ring. Records of priority 0 are found without a list.
//
// INV-29 A take gets a record of the highest priority that has a ready one, and the first of those.
// A record enters its list when its place is reserved, behind all others, and keeps its place there
// as long as it may be ready again. Before it is made ready, `ready` of the list is set to it or is
// before it already. All of this is made anew after a death in the critical section.
#include "core/invariant.h"
#include "core/kill_point.h"
#include "core/primitives/queue.h"

namespace holdfast::core {

uint32_t Queue::priority_of(const RecordHead& head) const {
  const bool has_link = lists_ != nullptr && head.length >= kUnit && head.priority <= kPriorityMax;
  return has_link ? head.priority : 0;
}

// Is it the place of a record of this priority? Asked of every word before it is followed.
bool Queue::is_listed(const View& view, uint64_t offset, uint32_t priority) const {
  return offset <= kOffsetMask &&
         ((offset - offset_of(view.head)) & kOffsetMask) * kUnit < view.used &&
         priority_of(head_at(view, offset)) == priority;
}

// The record at `offset` is the last of its priority. Takes and returns `used` of the lists.
uint64_t Queue::enlist(const View& view, uint64_t offset, uint32_t priority, uint64_t used) {
  PriorityList& list = lists_->of[priority];
  const bool is_first = (used >> priority & 1) == 0;
  link_at(view, offset).store(kNoRecord);
  KILL_POINT("queue.enlist.link");
  if (!is_first) {
    const uint64_t last = list.last.load();
    if (is_listed(view, last, priority)) {
      link_at(view, last).store(offset);
      KILL_POINT("queue.enlist.last_link");
    } else {
      body_.must_recount.store(1);  // another program wrote over it
    }
  }
  if (is_first || list.ready.load() == kNoRecord) {
    list.ready.store(offset);
    KILL_POINT("queue.enlist.ready");
  }
  list.last.store(offset);
  KILL_POINT("queue.enlist.last");
  return used | uint64_t{1} << priority;
}

// Goes on to the next record of the list, and leaves out those that are done: the link goes past
// them, so each of them is stepped over about once. The last one stays, because the next record is
// linked to it. False if the list makes no sense.
bool Queue::follow(const View& view, uint32_t priority, uint64_t* offset) {
  std::atomic<uint64_t>& link = link_at(view, *offset);
  const uint64_t linked = link.load();
  uint64_t before = *offset, next = linked;
  while (next != kNoRecord) {
    if (!is_listed(view, next, priority) || !precedes(view, before, next)) return false;
    const uint64_t behind_it = link_at(view, next).load();
    if (owner_at(view, next).load() < kVoid || behind_it == kNoRecord) break;
    before = next;
    next = behind_it;
  }
  if (next != linked) {
    link.store(next);
    KILL_POINT("queue.follow.link");
  }
  *offset = next;
  return true;
}

// Selects records that are ready and have a priority. False if a list makes no sense.
bool Queue::find_urgent(const View& view, Selection* selection) {
  const uint64_t used = lists_->used.load();
  for (uint32_t priority = kPriorityMax; priority != 0; priority--) {
    if ((used >> priority & 1) == 0) continue;
    PriorityList& list = lists_->of[priority];
    const uint64_t first = list.ready.load();
    uint64_t offset = first;
    if (first != kNoRecord && !is_listed(view, first, priority)) return false;
    while (offset != kNoRecord && !selection->is_full) {
      const bool is_ready = owner_at(view, offset).load() == 0;
      if (is_ready && !selection->add({offset, head_at(view, offset)})) break;
      if (!follow(view, priority, &offset)) return false;
    }
    if (offset != first) {
      list.ready.store(offset);
      KILL_POINT("queue.find_urgent.ready");
    }
    if (selection->is_full) break;
  }
  return true;
}

// So many units at the head are about to leave the ring.
void Queue::leave_lists(const View& view, uint64_t units) {
  const auto leaves = [&](uint64_t offset) {
    return ((offset - offset_of(view.head)) & kOffsetMask) < units;
  };
  uint64_t used = lists_->used.load();
  for (uint32_t priority = 1; priority <= kPriorityMax; priority++) {
    if ((used >> priority & 1) == 0) continue;
    PriorityList& list = lists_->of[priority];
    if (leaves(list.last.load())) {
      used &= ~(uint64_t{1} << priority);
      lists_->used.store(used);
      KILL_POINT("queue.leave_lists.used");
      continue;
    }
    const uint64_t first = list.ready.load();
    uint64_t offset = first;
    while (offset != kNoRecord && leaves(offset)) {
      if (!is_listed(view, offset, priority) || !follow(view, priority, &offset)) {
        body_.must_recount.store(1);  // another program wrote over it
        break;
      }
    }
    if (offset != first) {
      list.ready.store(offset);
      KILL_POINT("queue.leave_lists.ready");
    }
  }
}

// For INV-29. Looks at every record.
bool Queue::is_most_urgent(const View& view, const Place& place) {
  const uint32_t priority = priority_of(place.head);
  bool is_first = true;
  walk(view, offset_of(view.head), [&](const Place& other) {
    if (owner_at(view, other.offset).load() != 0 || other.offset == place.offset) return true;
    const uint32_t others = priority_of(other.head);
    const bool is_before = others != 0 && precedes(view, other.offset, place.offset);
    is_first = others < priority || (others == priority && !is_before);
    return is_first;
  });
  return is_first;
}

}  // namespace holdfast::core
