#include "core/primitives/event.h"

#include "core/kill_point.h"
#include "core/primitives/observations.h"
#include "core/store/kind_ops.h"

namespace holdfast::core {

void Event::set() {
  uint64_t word = body_.word.load();
  while ((word & 1) == 0 && !body_.word.compare_exchange_weak(word, (word + 2) | 1)) {
  }
  KILL_POINT("event.set.word");
  // Also if it was set already, because the agent that set it may have died before it woke anybody.
  // A read-modify-write has to come before the look (INV-4). This one changes nothing: a waiter may
  // have cleared the event by now.
  body_.word.fetch_or(0);
  KILL_POINT("event.set.again");
  wake_all(body_.waiters, agent_.registry(), object_.tag());
}

void Event::clear() {
  body_.word.fetch_and(~uint64_t{1});
  KILL_POINT("event.clear.word");
}

bool Event::wait(uint64_t since, int64_t deadline_ns) {
  spin_briefly();
  return wait_at_doorbell(agent_, body_.waiters, object_.tag(), deadline_ns,
                          [&] { return happened(since); });
}

namespace {

void forget_users(Object& object) { reset(object.body<EventBody>()->waiters); }

constexpr KindOps make_ops() {
  KindOps ops{"Event"};
  ops.article = "an";
  ops.forget_users = forget_users;
  ops.observe = observe_event;
  return ops;
}

}  // namespace

extern const KindOps kEventOps;
const KindOps kEventOps = make_ops();

}  // namespace holdfast::core
