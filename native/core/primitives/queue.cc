// Getting, waiting and ending. Putting: queue_put.cc.
#include "core/primitives/queue.h"

#include "core/kill_point.h"

namespace holdfast::core {

namespace {

// Bytes that a buffer keeps after it has held a large item.
constexpr size_t kScratchKept = size_t{1} << 20;

}  // namespace

char* Queue::room_for(size_t bytes) {
  if (scratch_.capacity() > kScratchKept && bytes <= kScratchKept) std::string().swap(scratch_);
  if (bytes <= inbox_length_) return inbox_;
  if (scratch_.size() < bytes) scratch_.resize(bytes);
  return scratch_.data();
}

char* Queue::large_room_for(uint32_t length) {
  if (outbox_) return outbox_(length);
  letters_.emplace_back(length, '\0');
  return letters_.back().data();
}

TransferStatus Queue::get(size_t count, std::vector<Record>* got) {
  got->clear();
  // Empty is the common answer to a look, and needs no critical section. A ring that has bytes and
  // no item may be so because of a death.
  if (bytes() == 0 && !ended()) return TransferStatus::not_yet;
  claims_.clear();
  TransferStatus status = get_in_section(count, got);
  if (status == TransferStatus::yes && !claims_.empty()) status = receive(got);
  if (status != TransferStatus::yes) got->clear();
  if (claims_.empty()) wake_putters(got->size());
  if (got->size() == 1 && claims_.empty()) {
    const uint64_t head = body_.head.load();
    const bool is_empty = offset_of(head) == offset_of(body_.tail.load());
    if (!is_empty) prefetch(head, got->front(), Purpose::to_read);
  }
  return status;
}

// Small records are gone when this returns. If there is a large one among them, all are claimed.
TransferStatus Queue::get_in_section(size_t count, std::vector<Record>* got) {
  const CriticalSection section(agent_, body_.mutex);
  View view;
  TransferStatus status = recover_and_read(section, &view);
  if (status == TransferStatus::yes) status = find_surely(&view, count, &places_);
  if (status != TransferStatus::yes) return status;
  if (places_.empty()) return nothing_ready(&view);
  size_t small = 0;
  bool any_large = false;
  for (const Place& place : places_) {
    const bool is_large = place.head.length >= kLargeRecord;
    any_large |= is_large;
    if (!is_large) small += place.head.length;
  }
  char* into = room_for(small);
  for (const Place& place : places_) {
    const bool is_large = place.head.length >= kLargeRecord;
    got->push_back({place.head.type, is_large ? nullptr : into, place.head.length});
    if (is_large) continue;
    copy_out(view.capacity, place.offset + kHeadUnits, into, place.head.length);
    into += place.head.length;
  }
  if (any_large) {
    claim(view);
  } else {
    consume(&view);
  }
  return TransferStatus::yes;
}

// Is that because nothing can come any more? It is looked up with the tail locked. A put looks
// there too, so nothing comes after an end that is seen here.
TransferStatus Queue::nothing_ready(View* view) {
  pop_done(view);
  if (!ended() || view->used != 0) return TransferStatus::not_yet;
  const CriticalSection tail(agent_, body_.tail_mutex);
  const bool is_over = has_tail(tail) && body_.tail.load() == view->tail;
  return is_over ? TransferStatus::ended : TransferStatus::not_yet;
}

void Queue::count_gets(uint64_t gets) {
  body_.gets.store(body_.gets.load(std::memory_order_relaxed) + gets, std::memory_order_relaxed);
  KILL_POINT("queue.get.gets");
}

void Queue::consume(View* view) {
  const Counts before = counts();
  const uint64_t first = offset_of(view->head);
  uint64_t next = first;  // behind those that are one directly behind the other
  for (const Place& place : places_) {
    if (place.offset == next) next = behind(place);
  }
  const bool is_front = next == behind(places_.back());
  const bool nothing_else = before.leased == 0 && before.done == items_of(view->head);
  if (is_front && nothing_else) {
    body_.counts.store(kNoCounts);  // the same, and stays so when the head goes on
    KILL_POINT("queue.consume.no_counts");
    count_gets(places_.size());
    // INV-12: here they are gone.
    body_.head.store(advance(view->head, (next - first) & kOffsetMask, places_.size()));
    KILL_POINT("queue.consume.head");
    return;
  }
  for (const Place& place : places_) {
    owner_at(*view, place.offset).store(kDone);  // gone from here on
    KILL_POINT("queue.consume.owner");
  }
  set_counts({before.done + places_.size(), before.leased});
  KILL_POINT("queue.consume.counts");
  count_gets(places_.size());
  pop_done(view);
}

// All of them at once: they no longer count as items.
void Queue::claim(const View& view) {
  for (const Place& place : places_) {
    owner_at(view, place.offset).store(kCopying | agent_.id());
    KILL_POINT("queue.claim.owner");
    claims_.push_back({place.offset, view.capacity});
  }
  const Counts before = counts();
  set_counts({before.done, before.leased + places_.size()});
  KILL_POINT("queue.claim.counts");
}

// Copies the bytes of the large ones. Room is free again after each of them.
TransferStatus Queue::receive(std::vector<Record>* got) {
  letters_.clear();
  letters_.reserve(got->size());
  for (Record& record : *got) {
    if (record.bytes != nullptr) continue;
    record.bytes = large_room_for(record.length);
    if (record.bytes != nullptr) continue;
    give_back();
    return TransferStatus::not_yet;
  }
  for (size_t from = 0, i = 0; i < claims_.size(); i++) {
    const Record& record = (*got)[i];
    const bool is_large = record.length >= kLargeRecord;
    if (is_large) {
      copy_out(claims_[i].capacity, claims_[i].offset + kHeadUnits, const_cast<char*>(record.bytes),
               record.length);
    }
    if (!is_large && i + 1 < claims_.size()) continue;
    if (!finish(from, i + 1)) return TransferStatus::corrupt;
    wake_putters(i + 1 - from);
    from = i + 1;
  }
  return TransferStatus::yes;
}

// The records of these claims are done. False if they are no longer this agent's.
bool Queue::finish(size_t from, size_t to) {
  const CriticalSection section(agent_, body_.mutex);
  View view;
  const TransferStatus status = recover_and_read(section, &view);
  if (status == TransferStatus::corrupt) return false;
  const bool can_count = status == TransferStatus::yes;
  for (size_t i = from; i < to; i++) {
    std::atomic<uint64_t>& owner = word_at(claims_[i].capacity, claims_[i].offset + 1);
    uint64_t mine = kCopying | agent_.id();
    if (!owner.compare_exchange_strong(mine, can_count ? kDone : kGone)) return false;
    KILL_POINT("queue.finish.owner");
  }
  if (!can_count) return true;  // whoever comes by there counts them: count_gone()
  const Counts before = counts();
  set_counts({before.done + to - from, before.leased - (to - from)});
  KILL_POINT("queue.finish.counts");
  count_gets(to - from);
  pop_done(&view);
  return true;
}

// There is no memory for the items: they are ready again. If the critical section cannot be
// entered, they are left as those of a dead agent, and whoever enters next finds them.
void Queue::give_back() {
  {
    const CriticalSection section(agent_, body_.mutex);
    View view;
    const TransferStatus status = recover_and_read(section, &view);
    if (status == TransferStatus::corrupt) return;
    const bool can_count = status == TransferStatus::yes;
    for (const Claim& claim : claims_) {
      std::atomic<uint64_t>& owner = word_at(claim.capacity, claim.offset + 1);
      uint64_t mine = kCopying | agent_.id();
      if (!can_count) {
        owner.compare_exchange_strong(mine, kGivenBack);
        KILL_POINT("queue.give_back.owner");
      } else if (owner.load() == mine) {
        offer(view, claim.offset);
      }
    }
    if (!can_count) {
      body_.must_recount.store(1);  // after the owners: a recount that misses one is not the last
      KILL_POINT("queue.give_back.must_recount");
    }
  }
  wake_all(body_.getters, agent_.registry(), getters_tag());
}

// After so many items have left.
void Queue::wake_putters(uint64_t gone) {
  for (uint64_t i = 0; i < gone; i++) {
    if (!wake_one(body_.putters, agent_.registry(), putters_tag())) break;
  }
  if (gone != 0 && over()) wake_all(body_.getters, agent_.registry(), getters_tag());
}

// ---------------------------------------------------------------- waiting

void Queue::end() {
  body_.ended.store(1);
  KILL_POINT("queue.end.ended");
  wake_all(body_.getters, agent_.registry(), getters_tag());
  wake_all(body_.putters, agent_.registry(), putters_tag());
}

bool Queue::wait_to_put(int64_t deadline_ns) {
  if (spin_briefly_to_put()) return true;
  return wait_at_doorbell(agent_, body_.putters, putters_tag(), deadline_ns,
                          [&] { return has_room(wanted_) || ended(); });
}

}  // namespace holdfast::core
