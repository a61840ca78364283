#include "core/primitives/joinable_queue.h"

#include "core/invariant.h"
#include "core/kill_point.h"
#include "core/primitives/observations.h"
#include "core/store/kind_ops.h"

namespace holdfast::core {

// A record that is ready.
struct JoinableQueue::Place {
  uint64_t offset;
  RecordHead head;
};

// In the critical section, after it was entered.
bool JoinableQueue::recover_and_read(const CriticalSection& section, View* view) {
  recover_if_due(section);
  return read_view(view);
}

// Calls visit(offset, head) for the records from `from` on that are not done, until it returns
// false. False if the ring makes no sense.
template <class Visit>
bool JoinableQueue::walk(const View& view, uint64_t from, Visit visit) {
  for (uint64_t offset = from;;) {
    Run done;
    if (!measure_run(view, offset, &done)) return false;
    offset = (offset + done.units) & kOffsetMask;
    const uint64_t left = ((offset_of(view.tail) - offset) & kOffsetMask) * kUnit;
    if (left == 0) return true;
    const RecordHead head = head_at(view.capacity, offset);
    if (needed(head.length) > left) return false;
    if (!visit(offset, head)) return true;
    offset = (offset + needed(head.length) / kUnit) & kOffsetMask;
  }
}

void JoinableQueue::recover() {
  View view;
  if (!read_view(&view)) return;
  uint64_t left = 0, leased = 0, ready = offset_of(view.tail);
  const bool whole = walk(view, offset_of(view.head), [&](uint64_t offset, const RecordHead&) {
    const bool is_ready = owner_at(view, offset).load() == 0;
    if (is_ready && left == leased) ready = offset;  // the first
    left++;
    leased += !is_ready;
    return true;
  });
  // If the ring makes no sense, nothing counts as done. Otherwise it would look like an empty
  // queue.
  const uint64_t tombstones = whole && left <= view.items ? view.items - left : 0;
  set_counts({items_of(view.head) + tombstones, leased});
  KILL_POINT("joinable_queue.recover.counts");
  own_.ready.store(ready);
  KILL_POINT("joinable_queue.recover.ready");
  own_.must_recount.store(0);
  KILL_POINT("joinable_queue.recover.must_recount");
  // The dead agent may have been about to. If nothing is left to get, no other agent does it, and
  // agents that wait to put would wait for the room.
  pop_done(view);
}

// The record at `offset` is ready again.
void JoinableQueue::offer(const View& view, uint64_t offset) {
  HOLDFAST_INVARIANT(INV_14, owner_at(view, offset).load() == agent_.id() ||
                                 !agent_.registry().alive(owner_at(view, offset).load()));
  const uint64_t first = offset_of(view.head);
  if (((offset - first) & kOffsetMask) < ((first_candidate(view) - first) & kOffsetMask)) {
    own_.ready.store(offset);
    KILL_POINT("joinable_queue.offer.ready");
  }
  const Counts before = counts();
  set_counts({before.done, before.leased - 1});
  KILL_POINT("joinable_queue.offer.counts");
  owner_at(view, offset).store(0);
  KILL_POINT("joinable_queue.offer.owner");
}

// INV-14: makes ready again what dead agents had leased.
void JoinableQueue::reclaim(const View& view) {
  uint64_t left = leased();
  if (left == 0) return;
  std::vector<AgentId> living{agent_.id()};
  walk(view, offset_of(view.head), [&](uint64_t offset, const RecordHead&) {
    const AgentId owner = owner_at(view, offset).load();
    if (owner == 0) return true;
    if (std::find(living.begin(), living.end(), owner) == living.end()) {
      if (agent_.registry().alive(owner)) {
        living.push_back(owner);
      } else {
        offer(view, offset);
      }
    }
    return --left != 0;
  });
}

// Where the first record may be that is ready. What `ready` leads to may have left the ring, if it
// was leased: then nothing is known of those that are in it.
uint64_t JoinableQueue::first_candidate(const View& view) const {
  const uint64_t first = offset_of(view.head);
  const uint64_t ready = own_.ready.load();
  return ((ready - first) & kOffsetMask) * kUnit > view.used ? first : ready;
}

bool JoinableQueue::find_ready(const View& view, Place* place) {
  const uint64_t from = first_candidate(view);
  bool found = false;
  uint64_t last = offset_of(view.tail);
  walk(view, from, [&](uint64_t offset, const RecordHead& head) {
    found = owner_at(view, offset).load() == 0;
    if (!found) return true;
    *place = {offset, head};
    last = offset;
    return false;
  });
  own_.ready.store(last);
  KILL_POINT("joinable_queue.find_ready.ready");
  return found;
}

// A slow task stands in front, and records that are done gather behind it. Their runs are measured
// while they grow, so that the end of the slow task needs no long walk.
void JoinableQueue::measure_first_runs(const View& view) {
  constexpr int kRecordsBetween = 8;
  int seen = 0;
  walk(view, offset_of(view.head),
       [&](uint64_t, const RecordHead&) { return ++seen <= kRecordsBetween; });
}

// Is every record of the run at the head done? Looks at each of them, not at the written lengths.
bool JoinableQueue::are_done(const View& view, const Run& run) const {
  uint64_t units = 0, items = 0;
  for (; units < run.units; items++) {
    const uint64_t offset = (offset_of(view.head) + units) & kOffsetMask;
    if (owner_at(view, offset).load() != kDone) return false;
    units += needed(head_at(view.capacity, offset).length) / kUnit;
  }
  return units == run.units && items == run.items;
}

// Takes the records that are done off the head, and returns their number.
uint64_t JoinableQueue::pop_done(const View& view) {
  Run done;
  if (!measure_run(view, offset_of(view.head), &done) || done.items == 0) return 0;
  HOLDFAST_INVARIANT(INV_14, are_done(view, done));
  body_.head.store(advance(view.head, done.units, done.items));
  KILL_POINT("joinable_queue.pop_done.head");
  return done.items;
}

// Takes up to `count` records out, or leases one.
TransferStatus JoinableQueue::take_in_section(bool lease, std::vector<Record>* records,
                                              size_t count, Lease* taken) {
  const CriticalSection section(agent_, body_.mutex);
  if (!section.entered()) return TransferStatus::not_yet;
  const bool over = ended();
  View view;
  if (!recover_and_read(section, &view)) return TransferStatus::corrupt;
  std::vector<Place> places;
  size_t total = 0;
  if (counted() == 0) reclaim(view);
  Place place;
  if (counted() != 0 && !find_ready(view, &place)) {
    // The counters say that a record is ready, and none is where the hint leads to. So another
    // program wrote over one of the two. Both are computed anew from the records.
    recover();
    if (!read_view(&view) || (counted() != 0 && !find_ready(view, &place)))
      return TransferStatus::corrupt;
  }
  while (places.size() < count && find_ready(view, &place)) {
    places.push_back(place);
    total += place.head.length;
    if (lease) break;
    // Before the owners below. A death in between leaves the mutex abandoned, so recover() computes
    // the hint anew.
    own_.ready.store((place.offset + needed(place.head.length) / kUnit) & kOffsetMask);
    KILL_POINT("joinable_queue.get.ready");
  }
  if (places.empty()) {
    return over && leased() == 0 ? TransferStatus::ended : TransferStatus::not_yet;
  }
  char* into = room_for(total);
  for (const Place& from : places) {
    records->push_back({from.head.type, into, from.head.length});
    copy_out(view.capacity, (from.offset + 3) & kOffsetMask, into, from.head.length);
    into += from.head.length;
  }
  if (lease) {
    std::atomic<uint64_t>& deliveries = deliveries_at(view, place.offset);
    deliveries.store(deliveries.load() + 1);
    KILL_POINT("joinable_queue.take.deliveries");
    *taken = {place.offset, deliveries.load()};
    own_.ready.store((place.offset + needed(place.head.length) / kUnit) & kOffsetMask);
    KILL_POINT("joinable_queue.take.ready");
    const Counts before = counts();
    set_counts({before.done, before.leased + 1});
    KILL_POINT("joinable_queue.take.counts");
    owner_at(view, place.offset).store(agent_.id());  // leased from here on
    KILL_POINT("joinable_queue.take.owner");
    return TransferStatus::yes;
  }
  for (const Place& from : places) {
    owner_at(view, from.offset).store(kDone);  // gone from here on
    KILL_POINT("joinable_queue.get.owner");
  }
  const Counts before = counts();
  set_counts({before.done + places.size(), before.leased});
  KILL_POINT("joinable_queue.get.counts");
  body_.gets.store(body_.gets.load(std::memory_order_relaxed) + places.size(),
                   std::memory_order_relaxed);
  KILL_POINT("joinable_queue.get.gets");
  own_.gotten.store(own_.gotten.load() + places.size());
  KILL_POINT("joinable_queue.get.gotten");
  pop_done(view);
  return TransferStatus::yes;
}

TransferStatus JoinableQueue::get(size_t count, std::vector<Record>* records) {
  records->clear();
  // This does not ask the counters beside the records: after a death they are right only in the
  // critical section.
  if (Queue::size() == 0 && !ended()) return TransferStatus::not_yet;
  const TransferStatus status = take_in_section(false, records, count, nullptr);
  if (status == TransferStatus::yes) wake(records->size());
  return status;
}

TransferStatus JoinableQueue::take(Record* record, Lease* lease) {
  if (Queue::size() == 0 && !ended()) return TransferStatus::not_yet;
  std::vector<Record> records;
  const TransferStatus status = take_in_section(true, &records, 1, lease);
  if (status == TransferStatus::yes) *record = records[0];
  return status;
}

// After records have gone: wakes those who put and join, and those who get if nothing can come.
void JoinableQueue::wake(uint64_t gone) {
  platform::fence_after_rmw();
  for (uint64_t i = 0; i < gone && wake_one(body_.putters, agent_.registry(), putters_tag()); i++) {
  }
  if (unfinished() == 0) wake_all(own_.joiners, agent_.registry(), joiners_tag());
  if (ended() && occupied() == 0) {
    wake_all(body_.getters, agent_.registry(), getters_tag());
  }
}

// Ends a lease: `owner` is kDone, or 0 for ready.
Code JoinableQueue::settle(const Lease& lease, uint64_t owner) {
  uint64_t popped = 0;
  {
    const CriticalSection section(agent_, body_.mutex);
    if (!section.entered()) return Code::busy;
    View view;
    if (!recover_and_read(section, &view)) return Code::corrupt;
    const uint64_t from_head = (lease.offset - offset_of(view.head)) & kOffsetMask;
    if (from_head * kUnit >= view.used || owner_at(view, lease.offset).load() != agent_.id() ||
        deliveries_at(view, lease.offset).load() != lease.delivery) {
      return Code::not_owner;
    }
    if (owner == 0) {
      offer(view, lease.offset);
    } else {
      owner_at(view, lease.offset).store(kDone);  // done from here on
      KILL_POINT("joinable_queue.settle.owner");
      const Counts before = counts();
      set_counts({before.done + 1, before.leased - 1});
      KILL_POINT("joinable_queue.settle.counts");
      body_.gets.store(body_.gets.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
      KILL_POINT("joinable_queue.settle.gets");
      popped = pop_done(view);
      if (popped == 0) measure_first_runs(view);
    }
  }
  if (owner == 0) {
    platform::fence_after_rmw();
    wake_one(body_.getters, agent_.registry(), getters_tag());
  } else {
    // A tombstone no longer counts as an item, though its bytes are still in use.
    wake(std::max<uint64_t>(popped, 1));
  }
  return Code::ok;
}

Code JoinableQueue::done(const Lease& lease) { return settle(lease, kDone); }
Code JoinableQueue::retry(const Lease& lease) { return settle(lease, 0); }

Code JoinableQueue::task_done() {
  {
    const CriticalSection section(agent_, body_.mutex);
    if (!section.entered()) return Code::busy;
    View view;
    if (!recover_and_read(section, &view)) return Code::corrupt;
    const uint64_t gotten = own_.gotten.load();
    if (gotten == 0) return Code::over_release;
    own_.gotten.store(gotten - 1);
    KILL_POINT("joinable_queue.task_done.gotten");
  }
  wake(0);
  return Code::ok;
}

uint64_t JoinableQueue::size() {
  // The common case of an idle user. An empty ring has no lease in it.
  if (records() != 0) bring_back();
  return counted();
}

bool JoinableQueue::finished() {
  const CriticalSection section(agent_, body_.mutex);
  View view;
  return section.entered() && recover_and_read(section, &view) && unfinished() == 0;
}

bool JoinableQueue::wait_to_join(int64_t deadline_ns) {
  return wait_at_doorbell(agent_, own_.joiners, joiners_tag(), deadline_ns,
                          [&] { return finished(); });
}

bool JoinableQueue::wait_to_get(int64_t deadline_ns) {
  // A death ends the wait at the doorbell but not this one. So each look searches for what dead
  // agents had leased.
  return wait_at_doorbell(
      agent_, body_.getters, getters_tag(), deadline_ns,
      [&] {
        if (counted() == 0 && leased() != 0) bring_back();
        return counted() != 0 || (ended() && leased() == 0);
      },
      [&] { watch(); });
}

void JoinableQueue::bring_back() {
  const CriticalSection section(agent_, body_.mutex);
  View view;
  if (section.entered() && recover_and_read(section, &view)) reclaim(view);
}

void JoinableQueue::watch() {
  const CriticalSection section(agent_, body_.mutex);
  View view;
  if (!section.entered() || !recover_and_read(section, &view) || leased() == 0) return;
  uint64_t seen = 0;
  walk(view, offset_of(view.head), [&](uint64_t offset, const RecordHead&) {
    const uint64_t owner = owner_at(view, offset).load();
    if (owner == 0) return true;
    agent_.watch(owner);
    return ++seen < platform::kWatchesMax;
  });
}

void JoinableQueue::abandon() { wake_all(body_.getters, agent_.registry(), getters_tag()); }

namespace {

void forget_users(Object& object) {
  JoinableQueueBody* body = object.body<JoinableQueueBody>();
  reset(body->joiners);
  // Agents that look for something to take find the leases of the dead. An agent may have died in
  // the critical section. The mutex is made anew here and forgets that, so this word notes it.
  body->must_recount.store(1);
  KILL_POINT("store.forget_users.must_recount");
  queue_ops().forget_users(object);
}

KindOps make_ops() {
  KindOps ops = queue_ops();  // the body begins with a Queue's
  ops.name = "JoinableQueue";
  ops.body_length = kJoinableQueueLength;
  ops.forget_users = forget_users;
  ops.observe = observe_joinable_queue;
  return ops;
}

}  // namespace

extern const KindOps kJoinableQueueOps;
const KindOps kJoinableQueueOps = make_ops();

}  // namespace holdfast::core
