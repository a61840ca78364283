// The ring of a queue as bytes: positions, copies, growth.
#include <algorithm>
#include <cstring>

#include "core/invariant.h"
#include "core/kill_point.h"
#include "core/primitives/queue.h"

namespace holdfast::core {

bool Queue::read_view(View* view) const {
  view->tail = body_.tail.load();
  view->head = body_.head.load();
  view->capacity = body_.capacity.load();
  view->used = ((offset_of(view->tail) - offset_of(view->head)) & kOffsetMask) * kUnit;
  view->items = (items_of(view->tail) - items_of(view->head)) & kQueueItemsMax;
  const uint64_t capacity = view->capacity;
  return capacity >= kQueueBytesMin && capacity <= largest_ring() &&
         (capacity & (capacity - 1)) == 0 && view->used <= capacity &&
         view->items * kHeadUnits * kUnit <= view->used;
}

uint64_t Queue::bytes() const {
  // Outside the critical section: read until head and tail belong together.
  for (;;) {
    const uint64_t head = body_.head.load();
    const uint64_t tail = body_.tail.load();
    if (body_.head.load() == head) {
      return ((offset_of(tail) - offset_of(head)) & kOffsetMask) * kUnit;
    }
  }
}

bool Queue::has_room(uint64_t wanted) const {
  return occupied() < max_items() &&
         bytes() + wanted <= (cannot_grow_ ? body_.capacity.load() : largest_ring());
}

void Queue::copy_in(uint64_t capacity, uint64_t offset, const void* from, size_t length) {
  HOLDFAST_INVARIANT(INV_13, length <= capacity && capacity <= largest_ring());
  const uint64_t place = (offset * kUnit) & (capacity - 1);
  const size_t first = static_cast<size_t>(std::min<uint64_t>(length, capacity - place));
  memcpy(object_.table() + place, from, first);
  memcpy(object_.table(), static_cast<const char*>(from) + first, length - first);
}

void Queue::copy_out(uint64_t capacity, uint64_t offset, void* into, size_t length) const {
  HOLDFAST_INVARIANT(INV_13, length <= capacity && capacity <= largest_ring());
  const uint64_t place = (offset * kUnit) & (capacity - 1);
  const size_t first = static_cast<size_t>(std::min<uint64_t>(length, capacity - place));
  memcpy(into, object_.table() + place, first);
  memcpy(static_cast<char*>(into) + first, object_.table(), length - first);
}

// The next record is most likely as long as this one. Its bytes come to this processor while the
// thread does something else.
void Queue::prefetch(uint64_t position, const Record& record, Purpose purpose) const {
  constexpr uint64_t kLine = 64;
  const uint64_t capacity = body_.capacity.load(std::memory_order_relaxed);
  for (uint64_t at = 0; at < needed_for(record); at += kLine) {
    const void* const line = &word_at(capacity, offset_of(position) + at / kUnit);
    if (purpose == Purpose::to_write) {
      __builtin_prefetch(line, 1);
    } else {
      __builtin_prefetch(line);
    }
  }
}

RecordHead Queue::head_at(const View& view, uint64_t offset) const {
  RecordHead head;
  copy_out(view.capacity, offset, &head, sizeof head);
  return head;
}

std::atomic<uint64_t>& Queue::word_at(uint64_t capacity, uint64_t offset) const {
  // Units are words, so none lies across the end of the ring.
  return *reinterpret_cast<std::atomic<uint64_t>*>(object_.table() +
                                                   ((offset * kUnit) & (capacity - 1)));
}

// Waits until nobody copies bytes in the ring. No copy begins meanwhile, because this agent is in
// the critical section. False if it takes too long: somebody who copies was stopped.
bool Queue::wait_for_copies(const View& view) {
  const int64_t deadline_ns = platform::monotonic_ns() + CriticalSection::kPatience_ns;
  for (bool is_first = true;; is_first = false) {
    bool copying = false;
    walk(view, offset_of(view.head), [&](const Place& place) {
      copying = is_copying(owner_at(view, place.offset).load());
      return !copying;
    });
    if (!copying) return true;
    if (platform::monotonic_ns() >= deadline_ns) return false;
    if (is_first) {
      reclaim(view);  // it may be dead
    } else {
      platform::sleep_ns(20'000);
    }
  }
}

// Every unit in use has a place in the ring of twice the capacity, which may be in the upper half.
void Queue::move_up(const View& view) {
  const uint64_t units = view.capacity / kUnit;
  uint64_t offset = offset_of(view.head);
  for (uint64_t left = view.used / kUnit; left != 0;) {
    const uint64_t step = std::min(left, units - offset % units);
    if (offset / units % 2 == 1) {
      char* const from = object_.table() + offset % units * kUnit;
      memcpy(from + view.capacity, from, step * kUnit);
      KILL_POINT("queue.move_up.copied");
    }
    offset = (offset + step) & kOffsetMask;
    left -= step;
  }
}

// INV-13. Doubles the ring until the bytes fit. A death in here leaves reserved space that no agent
// uses.
TransferStatus Queue::make_room(View* view, uint64_t wanted) {
  if (view->used + wanted > view->capacity) free_front(view);
  cannot_grow_ = false;
  while (view->used + wanted > view->capacity) {
    const uint64_t capacity = view->capacity;
    if (capacity * 2 > largest_ring()) return TransferStatus::not_yet;
    cannot_grow_ = !wait_for_copies(*view);
    if (cannot_grow_) return TransferStatus::not_yet;
    cannot_grow_ = static_cast<bool>(
        platform::reserve_space(object_.descriptor(), object_.table_offset() + capacity, capacity));
    // It may fit later, when storage is free again or a getter has made room. What is larger than
    // the ring as it stands cannot wait for a getter.
    if (cannot_grow_) {
      return wanted <= capacity ? TransferStatus::storage_full : TransferStatus::no_space;
    }
    KILL_POINT("queue.make_room.reserved");
    move_up(*view);
    body_.capacity.store(capacity * 2);
    KILL_POINT("queue.make_room.capacity");
    view->capacity = capacity * 2;
  }
  return TransferStatus::yes;
}

// Frees what is done at the head, also what a dead agent was writing there.
void Queue::free_front(View* view) {
  pop_done(view);
  if (view->used == 0) return;
  const AgentId agent = agent_of(owner_at(*view, offset_of(view->head)).load());
  if (agent == 0 || agent == agent_.id() || agent_.registry().alive(agent)) return;
  reclaim(*view);
  pop_done(view);
}

}  // namespace holdfast::core
