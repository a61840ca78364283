// The records of a queue, in the critical section: what became of each of them, and what is put
// right after a death. The states of a record are in layout.h.
#include <algorithm>

#include "core/invariant.h"
#include "core/kill_point.h"
#include "core/primitives/queue.h"

namespace holdfast::core {

// Somebody has died with this mutex. The word says so until the records have been looked through,
// because the mutex forgets it when it is unlocked. A death with both counts once.
void Queue::note_death(const CriticalSection& section) {
  if (!section.abandoned() || body_.must_recount.exchange(1) != 0) return;
  KILL_POINT("queue.note_death.must_recount");
  body_.abandonments.fetch_add(1, std::memory_order_relaxed);
  KILL_POINT("queue.note_death.abandonments");
}

// `yes`: the view is the ring's, with its tail of now or of a moment ago. With `tail` the caller
// locks the tail, too. `not_yet`: the critical section was not entered, or the tail is needed and
// somebody has it.
TransferStatus Queue::recover_and_read(const CriticalSection& section, View* view,
                                       const CriticalSection* tail) {
  note_death(section);
  if (tail != nullptr && !has_tail(*tail)) return TransferStatus::not_yet;
  if (!section.entered()) return TransferStatus::not_yet;
  const bool must_recover = body_.must_recount.load() != 0;
  if (must_recover && tail != nullptr) {
    recover_with_tail();
  } else if (must_recover && !recover()) {
    return TransferStatus::not_yet;
  }
  // INV-12: the ring is valid after any death.
  if (!read_view(view)) return TransferStatus::corrupt;
  if (must_recover) reclaim(*view);
  return TransferStatus::yes;
}

// False if somebody has the tail.
bool Queue::recover() {
  const CriticalSection tail(agent_, body_.tail_mutex);
  if (!has_tail(tail)) return false;
  recover_with_tail();
  return true;
}

// Computes anew what follows from the records. Nothing is put meanwhile.
void Queue::recover_with_tail() {
  View view;
  if (!read_view(&view)) return;
  view.items = view.used / kUnit / kHeadUnits;  // the items of `tail` may be too few
  uint64_t left = 0, leased = 0, ready = offset_of(view.tail);
  uint64_t delayed = 0, next_due = kNeverDue, lists = 0;
  Run runs;
  const auto look = [&](const Place& place) {
    const uint32_t priority = priority_of(place.head);
    if (priority != 0) lists = enlist(view, place.offset, priority, lists);
    if (is_unwritten(view, place.offset)) return true;
    const bool is_ready = owner_at(view, place.offset).load() == 0;
    if (is_ready && left == leased) ready = place.offset;  // the first
    left++;
    leased += !is_ready;
    if (owner_at(view, place.offset).load() == kDelayed) {
      delayed++;
      next_due = std::min(next_due, due_of(deliveries_at(view, place.offset).load()));
    }
    return true;
  };
  const bool whole = walk(view, offset_of(view.head), look, &runs);
  // If the ring makes no sense, nothing counts as done. Otherwise it would look like an empty
  // queue.
  if (whole) {
    body_.tail.store(offset_of(view.tail) |
                     advance(view.head, 0, runs.items + left) >> kOffsetBits << kOffsetBits);
    KILL_POINT("queue.recover.tail");
  }
  set_counts({items_of(view.head) + (whole ? runs.items : 0), leased});
  KILL_POINT("queue.recover.counts");
  body_.delayed.store(delayed);
  KILL_POINT("queue.recover.delayed");
  body_.next_due.store(next_due);
  KILL_POINT("queue.recover.next_due");
  body_.ready.store(ready);
  KILL_POINT("queue.recover.ready");
  if (lists_ != nullptr) lists_->used.store(lists);
  KILL_POINT("queue.recover.lists");
  body_.must_recount.store(0);
  KILL_POINT("queue.recover.must_recount");
  // The dead agent may have been about to. If nothing is left to get, no other agent does it, and
  // agents that wait to put would wait for the room.
  if (read_view(&view)) pop_done(&view);
}

// The record at `offset` is ready again.
void Queue::offer(const View& view, uint64_t offset) {
  HOLDFAST_INVARIANT(INV_14, agent_of(owner_at(view, offset).load()) == agent_.id() ||
                                 !agent_.registry().alive(agent_of(owner_at(view, offset).load())));
  hint_ready(view, offset);
  const Counts before = counts();
  set_counts({before.done, before.leased - 1});
  KILL_POINT("queue.offer.counts");
  owner_at(view, offset).store(0);
  KILL_POINT("queue.offer.owner");
}

// The record at `offset` is about to be ready.
void Queue::hint_ready(const View& view, uint64_t offset) {
  const uint32_t priority = lists_ == nullptr ? 0 : priority_of(head_at(view, offset));
  std::atomic<uint64_t>& hint = priority == 0 ? body_.ready : lists_->of[priority].ready;
  const uint64_t before = priority == 0 ? first_candidate(view) : hint.load();
  if (before == kNoRecord || precedes(view, offset, before)) {
    hint.store(offset);
    KILL_POINT("queue.hint_ready.ready");
  }
}

// INV-12, INV-14: makes ready again what dead agents had claimed or leased, and void what they were
// writing.
void Queue::reclaim(const View& view, Reach reach) {
  // Each agent is asked about once: who was dead stays so, and the next look finds who dies now.
  std::vector<AgentId> living{agent_.id()}, dead;
  const auto lives = [&](AgentId agent) {
    const auto is_in = [agent](const std::vector<AgentId>& some) {
      return std::find(some.begin(), some.end(), agent) != some.end();
    };
    if (is_in(living)) return true;
    if (is_in(dead)) return false;
    const bool alive = agent_.registry().alive(agent);
    (alive ? living : dead).push_back(agent);
    return alive;
  };
  uint64_t kept = 0;
  const bool whole = walk(view, offset_of(view.head), [&](const Place& place) {
    if (reach == Reach::leased && kept + body_.delayed.load() == leased()) return false;
    std::atomic<uint64_t>& owner = owner_at(view, place.offset);
    const uint64_t seen = owner.load();
    const AgentId agent = agent_of(seen);
    if (agent == 0) return true;
    if (lives(agent)) {
      kept += !is_unwritten(view, place.offset);
    } else if (owner.load() != seen) {
      return true;  // it finished before it died, without the critical section: kGone, kVoid
    } else if (is_unwritten(view, place.offset)) {
      owner.store(kVoid);
      KILL_POINT("queue.reclaim.owner");
    } else {
      offer(view, place.offset);
    }
    return true;
  });
  if (whole && reach == Reach::all) census_.complete();
}

// To ask about an agent costs about as much as to walk over so many records.
bool Queue::may_have_died() {
  constexpr size_t kRecordsForAnAgent = 256;
  return leased() <= kRecordsForAnAgent * (1 + census_.size()) ||
         census_.is_outdated(agent_.registry(), agent_.id());
}

// Where the first record may be that is ready. What `ready` leads to may have left the ring: then
// nothing is known of those that are in it.
uint64_t Queue::first_candidate(const View& view) const {
  const uint64_t first = offset_of(view.head);
  const uint64_t ready = body_.ready.load();
  return ((ready - first) & kOffsetMask) * kUnit > view.used ? first : ready;
}

// At most `count` records that are ready, from the first on, the urgent ones before. `ready` goes
// behind them, before their owners change: a death in between leaves the mutex abandoned.
bool Queue::find_ready(const View& view, size_t count, std::vector<Place>* places) {
  places->clear();
  Selection selection{count, places};
  if (lists_ != nullptr && lists_->used.load() != 0) {
    if (!find_urgent(view, &selection)) {
      places->clear();
      return false;
    }
    if (selection.is_full) return true;
  }
  uint64_t next = offset_of(view.tail);
  walk(view, first_candidate(view), [&](const Place& place) {
    if (owner_at(view, place.offset).load() != 0 || priority_of(place.head) != 0) return true;
    const bool is_taken = selection.add(place);
    if (!selection.is_full) return true;
    next = is_taken ? behind(place) : place.offset;
    return false;
  });
  body_.ready.store(next);
  KILL_POINT("queue.find_ready.ready");
  return !places->empty();
}

// The same, if there are any; if it searches, also those of dead agents. `corrupt` if the ring
// makes no sense.
TransferStatus Queue::find_surely(View* view, size_t count, std::vector<Place>* places,
                                  bool searches) {
  if (is_due()) promote(*view);
  if (searches && counted() == 0 && (leased() != 0 || ended())) reclaim(*view);
  uint64_t seen = 0;
  do {
    if (find_ready(*view, count, places) || counted() == 0) return TransferStatus::yes;
    // Something was put after the view was read, or else the counters are wrong.
    seen = view->tail;
    if (!read_view(view)) return TransferStatus::corrupt;
  } while (view->tail != seen);
  // The counters say that a record is ready, and none is where the hint leads to. So another
  // program wrote over one of the two. Both are computed anew from the records.
  if (!recover()) return TransferStatus::not_yet;
  const bool is_right = read_view(view) && (counted() == 0 || find_ready(*view, count, places));
  return is_right ? TransferStatus::yes : TransferStatus::corrupt;
}

// Is every record of the run at the head done? Looks at each of them, not at the written lengths.
bool Queue::are_done(const View& view, const Run& run) const {
  uint64_t units = 0, items = 0;
  while (units < run.units) {
    const uint64_t offset = (offset_of(view.head) + units) & kOffsetMask;
    const uint64_t owner = owner_at(view, offset).load();
    if (owner != kDone && owner != kVoid) return false;
    units += needed(head_at(view, offset).length) / kUnit;
    items += owner == kDone;
  }
  return units == run.units && items == run.items;
}

// Takes the records that are done off the head, and returns the number of their items.
uint64_t Queue::pop_done(View* view) {
  Run done;
  if (!measure_run(*view, offset_of(view->head), &done) || done.units == 0) return 0;
  HOLDFAST_INVARIANT(INV_14, are_done(*view, done));
  if (lists_ != nullptr && lists_->used.load() != 0) leave_lists(*view, done.units);
  view->head = advance(view->head, done.units, done.items);
  view->used -= done.units * kUnit;
  view->items -= done.items;
  body_.head.store(view->head);
  KILL_POINT("queue.pop_done.head");
  return done.items;
}

void Queue::bring_back() {
  const bool searches = may_have_died();
  const CriticalSection section(agent_, body_.mutex);
  View view;
  if (recover_and_read(section, &view) != TransferStatus::yes) return;
  // Any number may be ready, and they are no news.
  const bool among_many = counted() != 0 && !census_.is_taken();
  if (searches) reclaim(view, among_many ? Reach::leased : Reach::all);
  if (is_due()) promote(view);
  pop_done(&view);
}

void Queue::watch() {
  if (bytes() == 0) return;
  const CriticalSection section(agent_, body_.mutex);
  View view;
  if (recover_and_read(section, &view) != TransferStatus::yes || view.used == 0) return;
  uint64_t seen = 0;
  walk(view, offset_of(view.head), [&](const Place& place) {
    const AgentId agent = agent_of(owner_at(view, place.offset).load());
    if (agent == 0) return true;
    agent_.watch(agent);
    return ++seen < platform::kWatchesMax;
  });
}

}  // namespace holdfast::core
