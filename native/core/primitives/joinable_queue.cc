#include "core/primitives/joinable_queue.h"

#include "core/invariant.h"
#include "core/kill_point.h"
#include "core/primitives/observations.h"
#include "core/store/kind_ops.h"

namespace holdfast::core {

namespace {

Code code_of(TransferStatus status) {
  if (status == TransferStatus::corrupt) return Code::corrupt;
  return status == TransferStatus::yes ? Code::ok : Code::busy;
}

}  // namespace

// A slow task stands in front, and records that are done gather behind it. Their runs are measured
// while they grow, so that the end of the slow task needs no long walk.
void JoinableQueue::measure_first_runs(const View& view) {
  constexpr int kRecordsBetween = 8;
  int seen = 0;
  walk(view, offset_of(view.head), [&](const Place&) { return ++seen <= kRecordsBetween; });
}

// Takes up to `count` records out, or leases one.
TransferStatus JoinableQueue::take_in_section(bool lease, std::vector<Record>* records,
                                              size_t count, Lease* taken) {
  // If others take what is ready meanwhile, a search is due after all.
  const bool searches = counted() != 0 || may_have_died();
  const CriticalSection section(agent_, body_.mutex);
  View view;
  TransferStatus status = recover_and_read(section, &view);
  if (status == TransferStatus::yes) {
    status = find_surely(&view, lease ? 1 : count, &places_, searches);
  }
  if (status != TransferStatus::yes) return status;
  if (places_.empty()) return nothing_ready(&view);
  size_t total = 0;
  for (const Place& place : places_) total += place.head.length;
  char* into = room_for(total);
  for (const Place& from : places_) {
    const uint32_t priority = priority_of(from.head);
    const uint64_t links = link_units(priority);
    const uint32_t length = from.head.length - static_cast<uint32_t>(links * kUnit);
    records->push_back({from.head.type, into, length, 0, priority});
    copy_out(view.capacity, from.offset + kHeadUnits + links, into, length);
    into += length;
  }
  HOLDFAST_INVARIANT(INV_29, is_most_urgent(view, places_.front()));
  if (lease) {
    const Place& place = places_.front();
    std::atomic<uint64_t>& deliveries = deliveries_at(view, place.offset);
    const uint64_t before_it = deliveries_of(deliveries.load());
    deliveries.store(delivery_word(std::min(before_it + 1, kDeliveriesMax), 0));
    KILL_POINT("joinable_queue.take.deliveries");
    *taken = {place.offset, deliveries.load()};
    const Counts before = counts();
    set_counts({before.done, before.leased + 1});
    KILL_POINT("joinable_queue.take.counts");
    owner_at(view, place.offset).store(agent_.id());  // leased from here on
    KILL_POINT("joinable_queue.take.owner");
    return TransferStatus::yes;
  }
  for (const Place& from : places_) {
    owner_at(view, from.offset).store(kDone);  // gone from here on
    KILL_POINT("joinable_queue.get.owner");
  }
  const Counts before = counts();
  set_counts({before.done + places_.size(), before.leased});
  KILL_POINT("joinable_queue.get.counts");
  count_gets(places_.size());
  own_.gotten.store(own_.gotten.load() + places_.size());
  KILL_POINT("joinable_queue.get.gotten");
  pop_done(&view);
  return TransferStatus::yes;
}

TransferStatus JoinableQueue::get(size_t count, std::vector<Record>* got) {
  got->clear();
  // This does not ask the counters beside the records: after a death they are right only in the
  // critical section.
  if (bytes() == 0 && !ended()) return TransferStatus::not_yet;
  const TransferStatus status = take_in_section(false, got, count, nullptr);
  if (status == TransferStatus::yes) wake(got->size());
  wake_for_promoted();
  return status;
}

TransferStatus JoinableQueue::take(Record* record, Lease* lease) {
  if (bytes() == 0 && !ended()) return TransferStatus::not_yet;
  std::vector<Record> records;
  const TransferStatus status = take_in_section(true, &records, 1, lease);
  if (status == TransferStatus::yes) *record = records[0];
  wake_for_promoted();
  return status;
}

// After records have gone: wakes those who put and join, and those who get if nothing can come.
void JoinableQueue::wake(uint64_t gone) {
  platform::fence_after_rmw();
  for (uint64_t i = 0; i < gone && wake_one(body_.putters, agent_.registry(), putters_tag()); i++) {
  }
  if (unfinished() == 0) wake_all(own_.joiners, agent_.registry(), joiners_tag());
  if (over()) wake_all(body_.getters, agent_.registry(), getters_tag());
}

// Ends a lease: `owner` is kDone, 0 for ready, or kDelayed for ready at `due_ms`.
Code JoinableQueue::settle(const Lease& lease, uint64_t owner, uint64_t due_ms) {
  uint64_t popped = 0;
  {
    const CriticalSection section(agent_, body_.mutex);
    View view;
    const Code code = code_of(recover_and_read(section, &view));
    if (code != Code::ok) return code;
    const uint64_t from_head = (lease.offset - offset_of(view.head)) & kOffsetMask;
    if (from_head * kUnit >= view.used || owner_at(view, lease.offset).load() != agent_.id() ||
        deliveries_at(view, lease.offset).load() != lease.delivery) {
      return Code::not_owner;
    }
    if (owner == 0) {
      offer(view, lease.offset);
    } else if (owner == kDelayed) {
      delay(view, lease.offset, due_ms);
      return Code::ok;
    } else {
      owner_at(view, lease.offset).store(kDone);  // done from here on
      KILL_POINT("joinable_queue.settle.owner");
      const Counts before = counts();
      set_counts({before.done + 1, before.leased - 1});
      KILL_POINT("joinable_queue.settle.counts");
      count_gets(1);
      popped = pop_done(&view);
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
Code JoinableQueue::retry_later(const Lease& lease, double delay_ms) {
  return settle(lease, kDelayed, due_after(delay_ms));
}

Code JoinableQueue::task_done() {
  {
    const CriticalSection section(agent_, body_.mutex);
    View view;
    const Code code = code_of(recover_and_read(section, &view));
    if (code != Code::ok) return code;
    const uint64_t gotten = own_.gotten.load();
    if (gotten == 0) return Code::over_release;
    own_.gotten.store(gotten - 1);
    KILL_POINT("joinable_queue.task_done.gotten");
  }
  wake(0);
  return Code::ok;
}

uint64_t JoinableQueue::unfinished() const { return occupied() + own_.gotten.load(); }

bool JoinableQueue::finished() {
  const CriticalSection section(agent_, body_.mutex);
  View view;
  return recover_and_read(section, &view) == TransferStatus::yes && unfinished() == 0;
}

bool JoinableQueue::wait_to_join(int64_t deadline_ns) {
  return wait_at_doorbell(agent_, own_.joiners, joiners_tag(), deadline_ns,
                          [&] { return finished(); });
}

void JoinableQueue::abandon() { wake_all(body_.getters, agent_.registry(), getters_tag()); }

namespace {

void forget_users(Object& object) {
  JoinableQueueBody* body = object.body<JoinableQueueBody>();
  reset(body->joiners);
  // Agents that look for something to take find the leases of the dead.
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
