#include "core/queue.h"

#include <cstring>

#include "core/kill_point.h"

namespace holdfast::core {

namespace {

constexpr uint32_t kOffsetBits = 40;
constexpr uint64_t kOffsetMask = (uint64_t{1} << kOffsetBits) - 1;

// A critical section lasts microseconds, plus the copy of an item. Whoever cannot have the guard for
// this long (its holder is stopped) tries again at its next slice rather than block the event loop.
constexpr int64_t kGuardPatience_ns = 2 * platform::kNanosPerMilli;

// What a buffer that once held a large item may keep.
constexpr size_t kScratchKept = size_t{1} << 20;

uint64_t offset_of(uint64_t position) { return position & kOffsetMask; }
uint64_t items_of(uint64_t position) { return position >> kOffsetBits; }

uint64_t advance(uint64_t position, uint64_t units, uint64_t items) {
  return ((offset_of(position) + units) & kOffsetMask) |
         ((items_of(position) + items) << kOffsetBits);  // what overflows falls out at the top
}

struct RecordHead {
  uint32_t length;
  uint32_t type;
};
static_assert(sizeof(RecordHead) == 8);

}  // namespace

// The ring as it stands, checked: everything below may rely on it.
struct Queue::View {
  uint64_t head, tail;
  uint64_t capacity;
  uint64_t used;   // bytes
  uint64_t items;
};

bool Queue::read_view(View* view) const {
  view->tail = body_.tail.load();
  view->head = body_.head.load();
  view->capacity = body_.capacity.load();
  view->used = ((offset_of(view->tail) - offset_of(view->head)) & kOffsetMask) * kUnit;
  view->items = (items_of(view->tail) - items_of(view->head)) & kQueueItemsMax;
  const uint64_t capacity = view->capacity;
  return capacity >= kQueueBytesMin && capacity <= largest_ring() &&
         (capacity & (capacity - 1)) == 0 && view->used <= capacity &&
         view->items <= view->used / kUnit && (view->items == 0) == (view->used == 0);
}

uint64_t Queue::size() const {
  // Without the guard: read until head and tail belong together.
  for (;;) {
    const uint64_t head = body_.head.load();
    const uint64_t tail = body_.tail.load();
    if (body_.head.load() == head) return (items_of(tail) - items_of(head)) & kQueueItemsMax;
  }
}

uint64_t Queue::bytes() const {
  for (;;) {
    const uint64_t head = body_.head.load();
    const uint64_t tail = body_.tail.load();
    if (body_.head.load() == head) {
      return ((offset_of(tail) - offset_of(head)) & kOffsetMask) * kUnit;
    }
  }
}

bool Queue::has_room(uint64_t wanted) const {
  return size() < max_items() &&
         bytes() + wanted <= (cannot_grow_ ? body_.capacity.load() : largest_ring());
}

bool Queue::lock_guard() {
  using platform::MutexResult;
  const platform::MutexParty party = agent_.party();
  MutexResult result = platform::try_lock_mutex(&body_.guard, party);
  if (result != MutexResult::locked && result != MutexResult::owner_died) {
    const int64_t deadline_ns = platform::monotonic_ns() + kGuardPatience_ns;
    result = platform::lock_mutex_until(&body_.guard, party, deadline_ns);
    while (result == MutexResult::mistaken_identity && platform::monotonic_ns() < deadline_ns) {
      platform::sleep_ns(100'000);  // the kernel will not let us wait for what it takes for ourselves
      result = platform::try_lock_mutex(&body_.guard, party);
    }
  }
  KILL_POINT("queue.lock_guard.guard");
  // INV-12: the ring is valid whoever died.
  if (result == MutexResult::owner_died) {
    body_.abandonments.fetch_add(1, std::memory_order_relaxed);
    KILL_POINT("queue.lock_guard.abandonments");
    return true;
  }
  return result == MutexResult::locked;
}

void Queue::unlock_guard() {
  platform::unlock_mutex(&body_.guard, agent_.party());
  KILL_POINT("queue.unlock_guard.guard");
}

void Queue::copy_in(uint64_t capacity, uint64_t offset, const void* from, size_t length) {
  const uint64_t place = (offset * kUnit) & (capacity - 1);
  const size_t first = static_cast<size_t>(std::min<uint64_t>(length, capacity - place));
  memcpy(object_.ring() + place, from, first);
  memcpy(object_.ring(), static_cast<const char*>(from) + first, length - first);
}

void Queue::copy_out(uint64_t capacity, uint64_t offset, void* into, size_t length) const {
  const uint64_t place = (offset * kUnit) & (capacity - 1);
  const size_t first = static_cast<size_t>(std::min<uint64_t>(length, capacity - place));
  memcpy(into, object_.ring() + place, first);
  memcpy(static_cast<char*>(into) + first, object_.ring(), length - first);
}

// INV-13. Doubling until it fits; dying in here leaves reserved space that nobody counts on.
Moved Queue::make_room(View* view, uint64_t wanted) {
  while (view->used + wanted > view->capacity) {
    const uint64_t capacity = view->capacity;
    if (capacity * 2 > largest_ring()) return Moved::not_yet;
    cannot_grow_ = static_cast<bool>(
        platform::reserve_space(object_.descriptor(), kObjectLength + capacity, capacity));
    // Space may come back, or a getter make room; but not for what never fits as it is.
    if (cannot_grow_) return wanted <= capacity ? Moved::not_yet : Moved::no_space;
    KILL_POINT("queue.make_room.reserved");
    memcpy(object_.ring() + capacity, object_.ring(), capacity);
    KILL_POINT("queue.make_room.copied");
    body_.capacity.store(capacity * 2);
    KILL_POINT("queue.make_room.capacity");
    view->capacity = capacity * 2;
  }
  return Moved::yes;
}

Moved Queue::put(const Record* records, size_t count, size_t* put) {
  *put = 0;
  for (size_t i = 0; i < count; i++) {
    if (needed(records[i].length) > largest_ring()) return Moved::too_large;
  }
  if (ended()) return Moved::ended;
  if (count != 0) wanted_ = needed(records[0].length);
  if (!lock_guard()) return Moved::not_yet;
  View view;
  Moved moved = read_view(&view) ? Moved::yes : Moved::corrupt;
  if (moved == Moved::yes && ended()) moved = Moved::ended;
  uint64_t tail = view.tail;
  for (; moved == Moved::yes && *put < count; (*put)++) {
    const Record& record = records[*put];
    const uint64_t bytes = needed(record.length);
    wanted_ = bytes;
    moved = view.items < max_items() ? make_room(&view, bytes) : Moved::not_yet;
    if (moved != Moved::yes) break;
    const RecordHead head{record.length, record.type};
    copy_in(view.capacity, offset_of(tail), &head, sizeof head);
    KILL_POINT("queue.put.record_head");
    if (record.length != 0) copy_in(view.capacity, offset_of(tail) + 1, record.bytes, record.length);
    KILL_POINT("queue.put.record_bytes");
    tail = advance(tail, bytes / kUnit, 1);
    view.used += bytes;
    view.items++;
  }
  if (*put != 0) {
    body_.puts.store(body_.puts.load(std::memory_order_relaxed) + *put, std::memory_order_relaxed);
    KILL_POINT("queue.put.puts");
    body_.tail.store(tail);  // INV-12: here they come into being
    KILL_POINT("queue.put.tail");
  }
  unlock_guard();
  for (size_t i = 0; i < *put; i++) ring_one(body_.getters, agent_.registry(), getters_tag());
  return moved;
}

Moved Queue::get(size_t count, std::vector<Record>* records) {
  records->clear();
  if (scratch_.capacity() > kScratchKept) std::string().swap(scratch_);
  // Empty is the common answer to a look, and needs no guard.
  if (size() == 0 && !ended()) return Moved::not_yet;
  if (!lock_guard()) return Moved::not_yet;
  // Looked up under the guard: a put looks there too, so nothing comes after an end that is seen here.
  const bool over = ended();
  View view;
  if (!read_view(&view)) {
    unlock_guard();
    return Moved::corrupt;
  }
  const size_t wanted = static_cast<size_t>(std::min<uint64_t>(count, view.items));
  std::vector<uint64_t> places;
  uint64_t head = view.head, left = view.used, total = 0;
  bool valid = true;
  for (size_t i = 0; i < wanted && valid; i++) {
    RecordHead record;
    copy_out(view.capacity, offset_of(head), &record, sizeof record);
    const uint64_t bytes = needed(record.length);
    valid = bytes <= left;
    if (!valid) break;
    records->push_back({record.type, nullptr, record.length});
    places.push_back(offset_of(head) + 1);
    total += needed(record.length) - kUnit;  // each begins aligned, for UTF-16
    left -= bytes;
    head = advance(head, bytes / kUnit, 1);
  }
  if (valid) {
    if (scratch_.size() < total) scratch_.resize(total);
    char* into = scratch_.data();
    for (size_t i = 0; i < records->size(); i++) {
      Record& record = (*records)[i];
      record.bytes = into;
      copy_out(view.capacity, places[i], into, record.length);
      into += needed(record.length) - kUnit;
    }
    body_.gets.store(body_.gets.load(std::memory_order_relaxed) + wanted,
                     std::memory_order_relaxed);
    KILL_POINT("queue.get.gets");
    body_.head.store(head);  // INV-12: here they are gone
    KILL_POINT("queue.get.head");
  }
  unlock_guard();
  if (!valid) {
    records->clear();
    return Moved::corrupt;
  }
  for (size_t i = 0; i < wanted; i++) ring_one(body_.putters, agent_.registry(), putters_tag());
  if (wanted == 0) return over ? Moved::ended : Moved::not_yet;
  return Moved::yes;
}

void Queue::end() {
  body_.ended.store(1);
  KILL_POINT("queue.end.ended");
  // Everybody has to hear it. One ring wakes one agent, so ring until nobody is left.
  for (uint32_t i = 0; i < kWaitSetSize; i++) {
    ring_one(body_.getters, agent_.registry(), getters_tag());
    ring_one(body_.putters, agent_.registry(), putters_tag());
  }
}

bool Queue::wait_to_get(int64_t deadline_ns) {
  return wait_at_bell(agent_, body_.getters, getters_tag(), deadline_ns,
                      [&] { return size() != 0 || ended(); });
}

bool Queue::wait_to_put(int64_t deadline_ns) {
  return wait_at_bell(agent_, body_.putters, putters_tag(), deadline_ns,
                      [&] { return has_room(wanted_) || ended(); });
}

}  // namespace holdfast::core
