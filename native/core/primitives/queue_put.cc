// Putting: the short way, which locks the tail alone, and the way through the critical section.
#include <optional>

#include "core/invariant.h"
#include "core/kill_point.h"
#include "core/primitives/queue.h"

namespace holdfast::core {

TransferStatus Queue::put(const Record* records, size_t count, size_t* put) {
  *put = 0;
  for (size_t i = 0; i < count; i++) {
    if (needed_for(records[i]) > largest_ring()) return TransferStatus::too_large;
  }
  if (ended()) return TransferStatus::ended;
  if (count != 0) wanted_ = needed_for(records[0]);
  TransferStatus status = TransferStatus::yes;
  while (status == TransferStatus::yes && *put < count) {
    const size_t before = *put;
    Claim claim;
    switch (append(records, count, put)) {
      case Append::done:
        if (count == 1) prefetch(body_.tail.load(), records[0], Purpose::to_write);
        break;
      case Append::busy:
        status = TransferStatus::not_yet;
        break;
      case Append::otherwise:
        status = put_in_section(records, count, put, &claim);
    }
    if (claim.capacity != 0) {
      const Record& record = records[*put];
      copy_in(claim.capacity, claim.offset + kHeadUnits + link_units(record.priority), record.bytes,
              record.length);
      KILL_POINT("queue.put.large_bytes");
      status = publish(claim);
      *put += status == TransferStatus::yes;
    }
    for (size_t i = before; i < *put; i++) {
      if (!wake_one(body_.getters, agent_.registry(), getters_tag())) break;
    }
  }
  return status;
}

// Has `tail_mutex` been locked?
bool Queue::has_tail(const CriticalSection& tail) {
  note_death(tail);
  return tail.entered();
}

// INV-12: here small records come into being.
void Queue::move_tail(uint64_t tail, uint64_t puts) {
  body_.puts.store(body_.puts.load(std::memory_order_relaxed) + puts, std::memory_order_relaxed);
  KILL_POINT("queue.move_tail.puts");
  body_.tail.store(tail);
  KILL_POINT("queue.move_tail.tail");
}

// The short way of records that are small and have neither a delay nor a priority: all up to the
// next one that is not so, or none. It does not enter the critical section, so it does not meet
// those who get.
Queue::Append Queue::append(const Record* records, size_t count, size_t* put) {
  size_t end = *put;
  uint64_t bytes = 0;
  for (; end < count && is_plain(records[end]); end++) bytes += needed_for(records[end]);
  const uint64_t items = end - *put;
  if (items == 0) return Append::otherwise;
  const CriticalSection tail(agent_, body_.tail_mutex);
  if (!has_tail(tail)) return Append::busy;
  // `head` may go on meanwhile, which makes more room.
  View view;
  const bool is_right = body_.must_recount.load() == 0;  // otherwise the items may be too few
  if (!is_right || ended() || !read_view(&view) || view.used + bytes > view.capacity ||
      view.items + items > kQueueItemsMax || occupied() + items > max_items()) {
    return Append::otherwise;
  }
  const uint64_t before = view.tail;
  for (; *put < end; (*put)++) {
    write_record(view, offset_of(view.tail), records[*put], false);
    view.tail = advance(view.tail, needed_for(records[*put]) / kUnit, 1);
  }
  HOLDFAST_INVARIANT(INV_12, body_.tail.load() == before);
  move_tail(view.tail, items);
  return Append::done;
}

// Puts small records, up to a large one; or reserves the place of a large one.
TransferStatus Queue::put_in_section(const Record* records, size_t count, size_t* put,
                                     Claim* claim) {
  const CriticalSection section(agent_, body_.mutex);
  if (!section.entered()) return TransferStatus::not_yet;
  const CriticalSection last(agent_, body_.tail_mutex);
  View view;
  TransferStatus status = recover_and_read(section, &view, &last);
  if (status != TransferStatus::yes) return status;
  if (ended()) return TransferStatus::ended;
  uint64_t tail = view.tail;
  const size_t first = *put;
  uint64_t places = max_items() - std::min(max_items(), occupied());
  for (; status == TransferStatus::yes && *put < count; (*put)++) {
    const Record& record = records[*put];
    const bool is_large = record.length >= kLargeRecord && record.due_ms == 0;
    const bool is_alone = !is_plain(record);
    if (is_alone && *put != first) break;
    wanted_ = needed_for(record);
    const bool has_place = view.items < kQueueItemsMax && places-- != 0;
    status = has_place ? make_room(&view, wanted_) : TransferStatus::not_yet;
    if (status != TransferStatus::yes) break;
    const uint64_t offset = offset_of(tail);
    write_record(view, offset, record, is_large);
    tail = advance(tail, wanted_ / kUnit, is_large ? 0 : 1);
    if (is_large) {
      *claim = {offset, view.capacity};
      break;
    }
    view.used += wanted_;
    view.items++;
    if (is_alone) {
      (*put)++;
      break;  // more words than `tail` are written for it
    }
  }
  if (offset_of(tail) == offset_of(view.tail)) return status;
  const uint64_t due_ms = *put != first ? records[first].due_ms : 0;
  if (due_ms != 0) note_delayed(due_ms);
  move_tail(tail, *put - first);
  if (due_ms != 0) {
    const Counts before = counts();
    set_counts({before.done, before.leased + 1});
    KILL_POINT("queue.put.counts");
  }
  HOLDFAST_INVARIANT(INV_12, read_view(&view));
  return status;
}

// All but the bytes of a large one.
void Queue::write_record(const View& view, uint64_t offset, const Record& record, bool is_large) {
  const uint64_t links = link_units(record.priority);
  const RecordHead head{record.length + static_cast<uint32_t>(links * kUnit),
                        static_cast<uint16_t>(record.type), static_cast<uint16_t>(record.priority)};
  copy_in(view.capacity, offset, &head, sizeof head);
  KILL_POINT("queue.put.record_head");
  const bool is_delayed = record.due_ms != 0;
  owner_at(view, offset)
      .store(is_large     ? kCopying | agent_.id()
             : is_delayed ? kDelayed
                          : 0,
             std::memory_order_relaxed);
  deliveries_at(view, offset)
      .store(is_large ? kUnwritten : delivery_word(0, record.due_ms), std::memory_order_relaxed);
  if (links != 0) {
    lists_->used.store(enlist(view, offset, record.priority, lists_->used.load()));
    KILL_POINT("queue.put.used");
  }
  if (is_large || record.length == 0) return;
  copy_in(view.capacity, offset + kHeadUnits + links, record.bytes, record.length);
  KILL_POINT("queue.put.record_bytes");
}

// The bytes of a large record are there.
TransferStatus Queue::publish(const Claim& claim) {
  {
    const CriticalSection section(agent_, body_.mutex);
    std::optional<CriticalSection> last;
    if (section.entered()) last.emplace(agent_, body_.tail_mutex);
    View view;
    const TransferStatus status = recover_and_read(section, &view, last ? &*last : nullptr);
    std::atomic<uint64_t>& owner = word_at(claim.capacity, claim.offset + 1);
    const bool is_mine = owner.load() == (kCopying | agent_.id());
    if (status == TransferStatus::corrupt || !is_mine) return TransferStatus::corrupt;
    // The queue is full by now, or one of the two cannot be locked: as if never begun.
    if (status != TransferStatus::yes || occupied() >= max_items()) {
      owner.exchange(kVoid);
      KILL_POINT("queue.publish.void");
    } else {
      hint_ready(view, claim.offset);
      deliveries_at(view, claim.offset).store(0);
      KILL_POINT("queue.publish.deliveries");
      owner.store(0);
      KILL_POINT("queue.publish.owner");
      move_tail(advance(view.tail, 0, 1), 1);
      return TransferStatus::yes;
    }
  }
  // Getters of an ended queue waited for it.
  if (ended()) wake_all(body_.getters, agent_.registry(), getters_tag());
  return TransferStatus::not_yet;
}

}  // namespace holdfast::core
