// Delayed records of a JoinableQueue. Such a record stays in its place, as a leased one does, and
// counts as leased. Whoever looks for an item after the time that it is due makes it ready.
//
// INV-26 A delayed record is made ready by no look before it is due, and by the first look after
// that. `next_due` is lowered before a record is delayed. It is raised only by an agent that has
// looked at every record. So it is never later than the first one that is due.
#include <algorithm>

#include "core/invariant.h"
#include "core/kill_point.h"
#include "core/primitives/queue.h"

namespace holdfast::core {

bool Queue::is_due() const {
  const uint64_t next_due = body_.next_due.load();
  return next_due != kNeverDue && platform::monotonic_ms() >= next_due;
}

// A record is about to be delayed.
void Queue::note_delayed(uint64_t due_ms) {
  if (due_ms < body_.next_due.load()) body_.next_due.store(due_ms);
  KILL_POINT("queue.note_delayed.next_due");
  body_.delayed.store(body_.delayed.load() + 1);
  KILL_POINT("queue.note_delayed.delayed");
}

// A record that this agent has on lease is to be ready again later. If it dies before the last
// write, the record is ready at once, as after every death of a taker.
void Queue::delay(const View& view, uint64_t offset, uint64_t due_ms) {
  note_delayed(due_ms);
  std::atomic<uint64_t>& word = deliveries_at(view, offset);
  word.store(delivery_word(deliveries_of(word.load()), due_ms));
  KILL_POINT("queue.delay.deliveries");
  owner_at(view, offset).store(kDelayed);
  KILL_POINT("queue.delay.owner");
}

// Makes ready what is due.
void Queue::promote(const View& view) {
  const uint64_t now_ms = platform::monotonic_ms();
  uint64_t left = 0, next_due = kNeverDue;
  const bool whole = walk(view, offset_of(view.head), [&](const Place& place) {
    if (owner_at(view, place.offset).load() != kDelayed) return true;
    const uint64_t due_ms = due_of(deliveries_at(view, place.offset).load());
    if (due_ms <= now_ms) {
      HOLDFAST_INVARIANT(INV_26, platform::monotonic_ms() >= due_ms);
      offer(view, place.offset);
      promoted_++;
    } else {
      left++;
      next_due = std::min(next_due, due_ms);
    }
    return true;
  });
  if (!whole) return;
  body_.delayed.store(left);
  KILL_POINT("queue.promote.delayed");
  body_.next_due.store(next_due);
  KILL_POINT("queue.promote.next_due");
}

// This agent takes one of those that became ready. The others are for whoever waits.
void Queue::wake_for_promoted() {
  for (; promoted_ > 1; promoted_--) {
    if (!wake_one(body_.getters, agent_.registry(), getters_tag())) break;
  }
  promoted_ = 0;
}

}  // namespace holdfast::core
