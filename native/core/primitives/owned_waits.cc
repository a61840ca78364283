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

void OwnedWaits::pass_on() {
  parking_.ask();
  wake_waiter();
}

}  // namespace holdfast::core
