#include "core/primitives/bounded_semaphore.h"

#include "core/invariant.h"
#include "core/kill_point.h"
#include "core/primitives/observations.h"
#include "core/store/kind_ops.h"

namespace holdfast::core {

// INV-1 is established here and nowhere else.
Outcome BoundedSemaphore::claim(uint32_t index, AgentId from) {
  Permit& taken = permit(index);
  AgentId expected = from;
  if (!taken.owner.compare_exchange_strong(expected, agent_.id())) return {};
  KILL_POINT("bounded_semaphore.claim.owner");
  HOLDFAST_INVARIANT(INV_1, from == 0 || !agent_.registry().alive(from));
  // Known to this agent alone: by now somebody may have released, and another acquired (see
  // HoldNumber).
  const uint64_t number = hold_after(agent_.next_hold(), kPlaces);
  holds_->at[index] = number;
  body_.acquisitions.fetch_add(1, std::memory_order_relaxed);
  KILL_POINT("bounded_semaphore.claim.acquisitions");
  if (from != 0) body_.abandonments.fetch_add(1, std::memory_order_relaxed);
  KILL_POINT("bounded_semaphore.claim.abandonments");
  if (giving_way_.end()) pass_on();
  return {number * kPlaces + index, from != 0};
}

Outcome BoundedSemaphore::try_acquire() {
  if (giving_way_.is_due()) return {};
  const uint32_t count = permits();
  for (uint32_t i = 0; i < count; i++) {
    if (permit(i).owner.load(std::memory_order_relaxed) != 0) continue;
    if (Outcome outcome = claim(i, 0)) return outcome;
  }
  return {};
}

Outcome BoundedSemaphore::try_acquire_or_rescue() {
  if (Outcome outcome = try_acquire()) return outcome;
  if (giving_way_.is_due()) {
    const uint64_t acquisitions = body_.acquisitions.load(std::memory_order_relaxed);
    if (!giving_way_.has_lapsed(value() > 0, acquisitions)) return {};
    pass_on();  // others may have given way, too
  }
  const uint32_t count = permits();
  // Holders of many permits are asked once whether they live.
  std::vector<AgentId> living;
  for (uint32_t i = 0; i < count; i++) {
    const AgentId owner = permit(i).owner.load();
    if (owner == agent_.id() || std::find(living.begin(), living.end(), owner) != living.end()) {
      continue;
    }
    if (owner != 0 && agent_.registry().alive(owner)) {
      living.push_back(owner);
    } else if (Outcome outcome = claim(i, owner)) {
      return outcome;
    }
  }
  return {};
}

Outcome BoundedSemaphore::wait(int64_t deadline_ns) {
  spin_briefly();
  return wait_at_doorbell(
      agent_, body_.waiters, object_.tag(), deadline_ns, [&] { return try_acquire_or_rescue(); },
      [&] { watch(); });
}

void BoundedSemaphore::pass_on() {
  for (uint32_t left = value(); left > 0; left--) {
    if (!wake_one(body_.waiters, agent_.registry(), object_.tag())) return;
  }
}

void BoundedSemaphore::watch() {
  giving_way_.watch();
  const uint32_t count = std::min<uint32_t>(permits(), platform::kWatchesMax);
  for (uint32_t i = 0; i < count; i++) agent_.watch(owner_of(i));
}

bool BoundedSemaphore::is_current_hold(uint64_t hold) const {
  const uint64_t index = hold % kPlaces;
  if (index >= permits()) return false;
  return permit(index).owner.load(std::memory_order_relaxed) == agent_.id() &&
         holds_->at[index] == hold / kPlaces;
}

Code BoundedSemaphore::release_hold(uint64_t hold) {
  AgentId owner = agent_.id();
  // As in Lock::release_hold: nobody else can bring our id back into the word.
  if (!is_current_hold(hold) || !permit(hold % kPlaces).owner.compare_exchange_strong(owner, 0)) {
    return Code::not_locked;
  }
  KILL_POINT("bounded_semaphore.release_hold.owner");
  wake_one(body_.waiters, agent_.registry(), object_.tag());
  return Code::ok;
}

// Empties one word, of this agent's if `from` is its id, of anybody's if it is 0.
bool BoundedSemaphore::give_back(AgentId from) {
  for (uint32_t i = permits(); i-- > 0;) {
    AgentId owner = permit(i).owner.load();
    while (owner != 0 && (from == 0 || owner == from)) {
      if (permit(i).owner.compare_exchange_weak(owner, 0)) {
        KILL_POINT("bounded_semaphore.give_back.owner");
        wake_one(body_.waiters, agent_.registry(), object_.tag());
        return true;
      }
    }
  }
  return false;
}

Code BoundedSemaphore::release() {
  return give_back(agent_.id()) || give_back(0) ? Code::ok : Code::over_release;
}

void BoundedSemaphore::abandon() {
  // As many as we held may be waited for; each who looks finds a dead owner.
  for (uint32_t i = 0; i < permits(); i++) {
    if (owner_of(i) == agent_.id()) wake_one(body_.waiters, agent_.registry(), object_.tag());
    KILL_POINT("bounded_semaphore.abandon.woken");
  }
}

uint32_t BoundedSemaphore::value() {
  uint32_t taken = 0;
  for (uint32_t i = 0; i < permits(); i++) {
    const AgentId owner = owner_of(i);
    taken += owner != 0 && (owner == agent_.id() || agent_.registry().alive(owner));
  }
  return permits() - taken;
}

bool BoundedSemaphore::all_held_by_caller() const {
  for (uint32_t i = 0; i < permits(); i++) {
    if (owner_of(i) != agent_.id()) return false;
  }
  return true;
}

bool BoundedSemaphore::is_held_by_caller() const {
  for (uint32_t i = 0; i < permits(); i++) {
    if (permit(i).owner.load(std::memory_order_relaxed) == agent_.id()) return true;
  }
  return false;
}

namespace {

using Table = InitialTable<Permit, kPermitsMax>;

void forget_users(Object& object) { reset(object.body<BoundedBody>()->waiters); }

OwnerWords owner_words(uint32_t permits, uint32_t table_offset) {
  return {table_offset + uint32_t{offsetof(Permit, owner)}, sizeof(Permit), permits};
}

constexpr KindOps make_ops() {
  KindOps ops{"BoundedSemaphore"};
  ops.initial = "permits:";
  ops.table_length = Table::length;
  ops.is_plausible = Table::is_plausible;
  ops.forget_users = forget_users;
  ops.observe = observe_bounded;
  ops.owner_words = owner_words;
  return ops;
}

}  // namespace

extern const KindOps kBoundedSemaphoreOps;
const KindOps kBoundedSemaphoreOps = make_ops();

}  // namespace holdfast::core
