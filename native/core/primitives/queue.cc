#include "core/primitives/queue.h"

#include <cstring>

#include "core/invariant.h"
#include "core/kill_point.h"
#include "core/primitives/observations.h"
#include "core/store/kind_ops.h"

namespace holdfast::core {

namespace {

// Bytes that a buffer keeps after it has held a large item.
constexpr size_t kScratchKept = size_t{1} << 20;

}  // namespace

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

uint64_t Queue::records() const {
  // Outside the critical section: read until head and tail belong together.
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
  return occupied() < max_items() &&
         bytes() + wanted <= (cannot_grow_ ? body_.capacity.load() : largest_ring());
}

bool Queue::note_death(const CriticalSection& section) {
  // INV-12: the ring is valid after any death.
  if (section.abandoned()) body_.abandonments.fetch_add(1, std::memory_order_relaxed);
  KILL_POINT("queue.note_death.abandonments");
  return section.abandoned();
}

void Queue::recover_if_due(const CriticalSection& section) {
  if (note_death(section) || must_recover()) recover();
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

RecordHead Queue::head_at(uint64_t capacity, uint64_t offset) const {
  RecordHead head;
  copy_out(capacity, offset, &head, sizeof head);
  return head;
}

std::atomic<uint64_t>& Queue::word_at(uint64_t capacity, uint64_t offset) const {
  // Units are words, so none lies across the end of the ring.
  return *reinterpret_cast<std::atomic<uint64_t>*>(object_.table() +
                                                   ((offset * kUnit) & (capacity - 1)));
}

// INV-13. Doubles the ring until the bytes fit. A death in here leaves reserved space that no agent
// uses.
TransferStatus Queue::make_room(View* view, uint64_t wanted) {
  while (view->used + wanted > view->capacity) {
    const uint64_t capacity = view->capacity;
    if (capacity * 2 > largest_ring()) return TransferStatus::not_yet;
    cannot_grow_ = static_cast<bool>(
        platform::reserve_space(object_.descriptor(), object_.table_offset() + capacity, capacity));
    // It may fit later, when storage is free again or a getter has made room. What is larger than
    // the ring as it stands cannot wait for a getter.
    if (cannot_grow_)
      return wanted <= capacity ? TransferStatus::not_yet : TransferStatus::no_space;
    KILL_POINT("queue.make_room.reserved");
    memcpy(object_.table() + capacity, object_.table(), capacity);
    KILL_POINT("queue.make_room.copied");
    body_.capacity.store(capacity * 2);
    KILL_POINT("queue.make_room.capacity");
    view->capacity = capacity * 2;
  }
  return TransferStatus::yes;
}

TransferStatus Queue::put(const Record* records, size_t count, size_t* put) {
  *put = 0;
  for (size_t i = 0; i < count; i++) {
    if (needed(records[i].length) > largest_ring()) return TransferStatus::too_large;
  }
  if (ended()) return TransferStatus::ended;
  if (count != 0) wanted_ = needed(records[0].length);
  const TransferStatus status = put_in_section(records, count, put);
  for (size_t i = 0; i < *put; i++) wake_one(body_.getters, agent_.registry(), getters_tag());
  return status;
}

TransferStatus Queue::put_in_section(const Record* records, size_t count, size_t* put) {
  const CriticalSection section(agent_, body_.mutex);
  if (!section.entered()) return TransferStatus::not_yet;
  recover_if_due(section);
  View view;
  TransferStatus status = read_view(&view) ? TransferStatus::yes : TransferStatus::corrupt;
  if (status == TransferStatus::yes && ended()) status = TransferStatus::ended;
  uint64_t tail = view.tail;
  const uint64_t tombstones = view.items - std::min(view.items, occupied());
  for (; status == TransferStatus::yes && *put < count; (*put)++) {
    const Record& record = records[*put];
    const uint64_t bytes = needed(record.length);
    wanted_ = bytes;
    const bool has_place = view.items < kQueueItemsMax && view.items - tombstones < max_items();
    status = has_place ? make_room(&view, bytes) : TransferStatus::not_yet;
    if (status != TransferStatus::yes) break;
    const RecordHead head{record.length, record.type};
    const uint64_t offset = offset_of(tail);
    copy_in(view.capacity, offset, &head, sizeof head);
    KILL_POINT("queue.put.record_head");
    for (uint64_t i = 0; i < lease_units_; i++) word_at(view.capacity, offset + 1 + i).store(0);
    if (record.length != 0) {
      copy_in(view.capacity, offset + 1 + lease_units_, record.bytes, record.length);
    }
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
    HOLDFAST_INVARIANT(INV_12, read_view(&view));
  }
  return status;
}

char* Queue::room_for(size_t bytes) {
  if (scratch_.capacity() > kScratchKept && bytes <= kScratchKept) std::string().swap(scratch_);
  if (bytes <= inbox_length_) return inbox_;
  if (scratch_.size() < bytes) scratch_.resize(bytes);
  return scratch_.data();
}

TransferStatus Queue::get(size_t count, std::vector<Record>* records) {
  records->clear();
  // Empty is the common answer to a look, and needs no critical section.
  if (size() == 0 && !ended()) return TransferStatus::not_yet;
  const TransferStatus status = get_in_section(count, records);
  if (status != TransferStatus::yes) records->clear();
  for (size_t i = 0; i < records->size(); i++) {
    wake_one(body_.putters, agent_.registry(), putters_tag());
  }
  return status;
}

TransferStatus Queue::get_in_section(size_t count, std::vector<Record>* records) {
  const CriticalSection section(agent_, body_.mutex);
  if (!section.entered()) return TransferStatus::not_yet;
  note_death(section);
  // Looked up in the critical section: a put looks there too, so nothing comes after an end that is
  // seen here.
  const bool over = ended();
  View view;
  if (!read_view(&view)) return TransferStatus::corrupt;
  const size_t wanted = static_cast<size_t>(std::min<uint64_t>(count, view.items));
  if (wanted == 0) return over ? TransferStatus::ended : TransferStatus::not_yet;
  offsets_.clear();
  uint64_t head = view.head, left = view.used;
  size_t total = 0;
  for (size_t i = 0; i < wanted; i++) {
    const RecordHead record = head_at(view.capacity, offset_of(head));
    const uint64_t bytes = needed(record.length);
    if (bytes > left) return TransferStatus::corrupt;
    records->push_back({record.type, nullptr, record.length});
    offsets_.push_back(offset_of(head) + 1);
    total += record.length;
    left -= bytes;
    head = advance(head, bytes / kUnit, 1);
  }
  char* into = room_for(total);
  for (size_t i = 0; i < wanted; i++) {
    Record& record = (*records)[i];
    record.bytes = into;
    copy_out(view.capacity, offsets_[i], into, record.length);
    into += record.length;
  }
  body_.gets.store(body_.gets.load(std::memory_order_relaxed) + wanted, std::memory_order_relaxed);
  body_.head.store(head);  // INV-12: here they are gone
  HOLDFAST_INVARIANT(INV_12, read_view(&view));
  return TransferStatus::yes;
}

void Queue::end() {
  body_.ended.store(1);
  KILL_POINT("queue.end.ended");
  wake_all(body_.getters, agent_.registry(), getters_tag());
  wake_all(body_.putters, agent_.registry(), putters_tag());
}

bool Queue::wait_to_get(int64_t deadline_ns) {
  if (spin_briefly_to_get()) return true;
  return wait_at_doorbell(agent_, body_.getters, getters_tag(), deadline_ns,
                          [&] { return size() != 0 || ended(); });
}

bool Queue::wait_to_put(int64_t deadline_ns) {
  if (spin_briefly_to_put()) return true;
  return wait_at_doorbell(agent_, body_.putters, putters_tag(), deadline_ns,
                          [&] { return has_room(wanted_) || ended(); });
}

namespace {

// maxBytes of a new queue, if none was asked for.
constexpr uint64_t kQueueBytes = uint64_t{1} << 26;

uint64_t max_bytes_of(const OpenRequest& request) {
  return request.queue.max_bytes != 0 ? request.queue.max_bytes : kQueueBytes;
}

// The largest power of two that is at most what was asked for: a ring only doubles.
uint64_t table_length(const OpenRequest& request) {
  uint64_t ring = kQueueBytesMin;
  while (ring * 2 <= max_bytes_of(request)) ring *= 2;
  return ring;
}

bool is_plausible(uint32_t, uint64_t length) {
  return length >= kQueueBytesMin && length <= kQueueBytesMax && (length & (length - 1)) == 0;
}

void initialise(Object& object, const OpenRequest& request) {
  QueueBody* body = object.body<QueueBody>();
  platform::init_mutex(&body->mutex);
  KILL_POINT("store.make.queue_mutex");
  body->capacity.store(kQueueBytesMin);
  KILL_POINT("store.make.capacity");
  body->max_items = request.queue.max_items != 0 ? request.queue.max_items : kQueueItemsMax;
  body->max_bytes = max_bytes_of(request);
  body->codec =
      request.queue.codec != 0 ? request.queue.codec : static_cast<uint32_t>(Codec::structured);
  KILL_POINT("store.make.limits");
}

void forget_users(Object& object) {
  QueueBody* body = object.body<QueueBody>();
  platform::init_mutex(&body->mutex);
  KILL_POINT("store.forget_users.queue_mutex");
  reset(body->getters);
  reset(body->putters);
}

// Limits and codec belong to the queue, so all its users must ask for the same.
Status compare(const OpenRequest& request, const BodyReader& reader, uint64_t) {
  const QueueLimits& wanted = request.queue;
  QueueLimits has;
  const uint64_t body = sizeof(Header);
  if (!reader.read(body + offsetof(QueueBody, max_items), &has.max_items, 8) ||
      !reader.read(body + offsetof(QueueBody, max_bytes), &has.max_bytes, 8) ||
      !reader.read(body + offsetof(QueueBody, codec), &has.codec, 4)) {
    return Status::of(Code::corrupt, "its limits cannot be read");
  }
  if (wanted.max_items != 0 && wanted.max_items != has.max_items) {
    return made_with_another("maxSize", has.max_items, wanted.max_items);
  }
  if (wanted.max_bytes != 0 && wanted.max_bytes != has.max_bytes) {
    return made_with_another("maxBytes", has.max_bytes, wanted.max_bytes);
  }
  if (wanted.codec != 0 && wanted.codec != has.codec) {
    return Status::of(Code::incompatible, "it was made with another codec");
  }
  return Status::success();
}

}  // namespace

KindOps queue_ops() {
  KindOps ops{"Queue"};
  ops.table_reserved = kQueueBytesMin;  // a ring is reserved as it grows
  ops.table_length = table_length;
  ops.is_plausible = is_plausible;
  ops.initialise = initialise;
  ops.forget_users = forget_users;
  ops.observe = observe_queue;
  ops.compare = compare;
  return ops;
}

extern const KindOps kQueueOps;
const KindOps kQueueOps = queue_ops();

}  // namespace holdfast::core
