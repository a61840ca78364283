#include "core/primitives/owned_waits.h"

#include <utility>

namespace holdfast::core {

namespace {

constexpr int64_t kMoment_ns = 1'000;  // many turns are over by then, and no processor is missed
constexpr int64_t kShortTurn_ns = 100'000;

}  // namespace

OwnedWaits::OwnedWaits(Agent& agent, Object& object)
    : agent_(agent),
      object_(object),
      body_(*object.body<OwnedBody>()),
      giving_way_(agent, body_.waiters),
      parking_(body_.asleep, agent.id()) {}

bool OwnedWaits::is_crowded() const {
  static const uint32_t processors = platform::processor_count();
  uint32_t threads = 2;  // the holder and this one
  for (const std::atomic<uint64_t>& entry : body_.waiters.entry) {
    threads += entry.load(std::memory_order_relaxed) != 0 ? 1 : 0;
    if (threads > processors) return true;
  }
  return false;
}

bool OwnedWaits::spin_unless_crowded() {
  if (!is_crowded()) return spin_briefly();
  const int64_t now_ns = platform::monotonic_ns();
  const uint64_t acquisitions = body_.acquisitions.load(std::memory_order_relaxed);
  const uint64_t turns = acquisitions - std::exchange(crowd_acquisitions_, acquisitions);
  const int64_t time_ns = now_ns - std::exchange(crowd_seen_ns_, now_ns);
  has_short_turns_ = turns >= static_cast<uint64_t>(time_ns / kShortTurn_ns);
  return spin_until(now_ns + kMoment_ns, [this] { return is_free(); });
}

bool OwnedWaits::spin_briefly() {
  const bool looks = spin_.looks();
  const Turn before = turn();
  const bool seen_free =
      spin_.between_turns([this] { return is_free(); },
                          [this] { return body_.acquisitions.load(std::memory_order_relaxed); });
  if (looks) has_short_turns_ = !(turn() == before);
  doze_acquisitions_ = body_.acquisitions.load(std::memory_order_relaxed);
  return seen_free;
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

// Where holds are short, every one of them would ring for all who wait, and they would doze again.
// So a thread dozes only if nobody has acquired since it asked last, or began to wait.
bool OwnedWaits::may_doze(int index) {
  const uint64_t acquisitions = body_.acquisitions.load(std::memory_order_relaxed);
  if (std::exchange(doze_acquisitions_, acquisitions) != acquisitions) return false;
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
