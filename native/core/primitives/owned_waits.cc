#include "core/primitives/owned_waits.h"

#include <utility>

namespace holdfast::core {

OwnedWaits::OwnedWaits(Agent& agent, Object& object)
    : agent_(agent),
      object_(object),
      body_(*object.body<OwnedBody>()),
      giving_way_(agent, body_.waiters),
      parking_(body_.asleep, agent.id()) {}

bool OwnedWaits::spin_briefly() {
  const bool looks = spin_.looks();
  const Turn before = turn();
  const bool is_free =
      spin_.between_turns([this] { return body_.owner.load(std::memory_order_relaxed) == 0; },
                          [this] { return body_.acquisitions.load(std::memory_order_relaxed); });
  if (looks) has_short_turns_ = !(turn() == before);
  return is_free;
}

bool OwnedWaits::acquired_since_last_wait() {
  const uint64_t before = std::exchange(seen_acquisitions_, body_.acquisitions.load());
  return platform::traits::kTimedWaits && seen_acquisitions_ != before;
}

void OwnedWaits::watch() {
  agent_.watch(body_.owner.load());
  giving_way_.watch();
}

void OwnedWaits::wake_waiter() {
  parking_.wake_one(body_.waiters);
  wake_one(body_.waiters, agent_.registry(), object_.tag());
}

void OwnedWaits::call_dozers() { wake_dozers(body_.waiters, agent_.registry(), object_.tag()); }

bool OwnedWaits::may_doze(int index) {
  const AgentId owner = body_.owner.load();
  if (!agent_.hears_of(owner)) return false;
  begin_to_doze(body_.waiters);
  if (body_.owner.load() != owner) return false;  // INV-28
  if (!is_enrolled(body_.waiters, agent_.id(), index)) return false;
  agent_.relies_on_watches();
  return true;
}

void OwnedWaits::pass_on() {
  parking_.ask();
  wake_waiter();
}

}  // namespace holdfast::core
