#include "core/primitives/barrier.h"

#include "core/invariant.h"
#include "core/kill_point.h"
#include "core/primitives/observations.h"
#include "core/store/kind_ops.h"

namespace holdfast::core {

namespace {

constexpr uint64_t kHistory = 64;  // bits of `tripped`: the present round's, and those before it

uint64_t bit_of(uint64_t round) { return uint64_t{1} << (round % kHistory); }

}  // namespace

Arrival Barrier::arrive(bool acts) {
  const Arrival arrival = arrive_in_section(acts);
  if (arrival.status == ArrivalStatus::passed || arrival.status == ArrivalStatus::broken)
    wake_both_sets();
  return arrival;
}

Arrival Barrier::arrive_in_section(bool acts) {
  const CriticalSection section(agent_, body_.mutex);
  if (!section.entered()) return {};
  Round round = Round::of(body_.state.load());
  if (round.phase == Phase::broken) return {ArrivalStatus::broken, round.number, 0};
  if (round.phase == Phase::acting || round.arrived >= parties()) return {};
  // The last one to arrive must not open the round if a party of it has died and no agent has seen
  // that yet.
  if (round.arrived + 1 == parties() && has_dead(round)) {
    store_broken(round);
    return {ArrivalStatus::broken, round.number, 0};
  }
  const uint32_t index = static_cast<uint32_t>(round.arrived);
  place(index).store(agent_.id());  // before the count that makes it valid
  KILL_POINT("barrier.arrive.place");
  round.arrived++;
  HOLDFAST_INVARIANT(INV_18, is_current(round) && round.arrived <= parties());
  if (round.arrived < parties()) {
    body_.state.store(round.state());  // INV-18
    KILL_POINT("barrier.arrive.count");
    return {ArrivalStatus::arrived, round.number, index};
  }
  if (acts) {
    body_.actor.store(agent_.id());
    KILL_POINT("barrier.arrive.actor");
    round.phase = Phase::acting;
    body_.state.store(round.state());
    KILL_POINT("barrier.arrive.acting");
    return {ArrivalStatus::act, round.number, index};
  }
  open_next(round, true);
  return {ArrivalStatus::passed, round.number, index};
}

// In the critical section. What is remembered of the old round first; the store of the word ends it
// (INV-19).
void Barrier::open_next(const Round& round, bool tripped) {
  HOLDFAST_INVARIANT(INV_19, is_current(round));
  const uint64_t bit = bit_of(round.number), history = body_.tripped.load();
  body_.tripped.store(tripped ? history | bit : history & ~bit);
  KILL_POINT("barrier.open_next.tripped");
  if (!tripped) body_.last_break.store(round.number + 1);
  KILL_POINT("barrier.open_next.last_break");
  body_.state.store(Round{round.number + 1, Phase::filling, 0}.state());
  KILL_POINT("barrier.open_next.state");
}

void Barrier::store_broken(Round round) {
  HOLDFAST_INVARIANT(INV_18, is_current(round) && round.phase != Phase::broken);
  body_.breaks.fetch_add(1, std::memory_order_relaxed);
  KILL_POINT("barrier.store_broken.breaks");
  round.phase = Phase::broken;
  body_.state.store(round.state());
  KILL_POINT("barrier.store_broken.state");
}

ArrivalStatus Barrier::finish(uint64_t number) {
  {
    const CriticalSection section(agent_, body_.mutex);
    if (!section.entered()) return ArrivalStatus::not_yet;
    const Round round = Round::of(body_.state.load());
    if (round.number != number || round.phase != Phase::acting) return ArrivalStatus::broken;
    open_next(round, true);
  }
  wake_both_sets();
  return ArrivalStatus::passed;
}

ArrivalStatus Barrier::check_round(uint64_t number) {
  const Round round = Round::of(body_.state.load());
  if (round.number == number) {
    if (round.phase == Phase::broken) return ArrivalStatus::broken;
    if (!has_dead(round)) return ArrivalStatus::not_yet;
    break_round(number);
    return ArrivalStatus::not_yet;  // the next look tells, also if another agent broke it
  }
  if (body_.last_break.load() <= number) return ArrivalStatus::passed;  // none has broken since
  // An agent that slept through more rounds than are remembered, with a break among them, is told
  // the worse. The bit is the next round's as soon as that one is there, though it is written only
  // at its end; so the round is looked up again after the bit (INV-19).
  const uint64_t history = body_.tripped.load();
  const uint64_t latest = Round::of(body_.state.load()).number;
  return latest - number < kHistory && (history & bit_of(number)) != 0 ? ArrivalStatus::passed
                                                                       : ArrivalStatus::broken;
}

bool Barrier::has_dead(const Round& round) {
  AgentId living = agent_.id();
  if (round.phase == Phase::acting) {
    const AgentId actor = body_.actor.load();
    return actor != living && !agent_.registry().alive(actor);
  }
  // Not beyond the table, even if another program wrote a larger count.
  const uint64_t count = std::min<uint64_t>(round.arrived, parties());
  for (uint64_t i = 0; i < count; i++) {
    const AgentId arrived = place(i).load();
    if (arrived == living || arrived == agent_.id()) continue;
    if (!agent_.registry().alive(arrived)) {
      // Only if the round has not changed. Otherwise the table is already that of the next one.
      return body_.state.load() == round.state();
    }
    living = arrived;
  }
  return false;
}

Arrival Barrier::wait_to_arrive(bool acts, int64_t deadline_ns) {
  spin_briefly();
  return wait_at_doorbell(
      agent_, body_.arrivals, arrivals_tag(), deadline_ns, [&] { return arrive(acts); },
      [&] { watch(); });
}

ArrivalStatus Barrier::wait(uint64_t round, int64_t deadline_ns) {
  struct Seen {
    ArrivalStatus status;
    explicit operator bool() const { return status != ArrivalStatus::not_yet; }
  };
  const auto check_twice = [&] {
    const ArrivalStatus status = check_round(round);
    return Seen{status != ArrivalStatus::not_yet ? status : check_round(round)};
  };
  spin_briefly();
  return wait_at_doorbell(agent_, body_.waiters, waiters_tag(), deadline_ns, check_twice,
                          [&] { watch(); })
      .status;
}

void Barrier::watch() {
  const Round round = Round::of(body_.state.load());
  agent_.watch(round.phase == Phase::acting ? body_.actor.load() : 0);
  const uint64_t count = std::min<uint64_t>({round.arrived, parties(), platform::kWatchesMax});
  for (uint64_t i = 0; i < count; i++) agent_.watch(place(i).load());
}

Code Barrier::break_round(uint64_t number) {
  {
    const CriticalSection section(agent_, body_.mutex);
    if (!section.entered()) return Code::busy;
    const Round round = Round::of(body_.state.load());
    if (round.number != number || round.phase == Phase::broken) return Code::ok;
    store_broken(round);
  }
  wake_both_sets();
  return Code::ok;
}

Code Barrier::abort() {
  {
    const CriticalSection section(agent_, body_.mutex);
    if (!section.entered()) return Code::busy;
    const Round round = Round::of(body_.state.load());
    if (round.phase != Phase::broken) store_broken(round);
  }
  wake_both_sets();
  return Code::ok;
}

Code Barrier::reset() {
  {
    const CriticalSection section(agent_, body_.mutex);
    if (!section.entered()) return Code::busy;
    const Round round = Round::of(body_.state.load());
    if (round.phase == Phase::filling && round.arrived == 0) return Code::ok;
    if (round.phase != Phase::broken) body_.breaks.fetch_add(1, std::memory_order_relaxed);
    KILL_POINT("barrier.reset.breaks");
    open_next(round, false);
  }
  wake_both_sets();
  return Code::ok;
}

void Barrier::wake_both_sets() {
  platform::fence_after_rmw();  // the release of the mutex came before (INV-4)
  wake_all(body_.waiters, agent_.registry(), waiters_tag());
  KILL_POINT("barrier.wake_both_sets.waiters");
  wake_all(body_.arrivals, agent_.registry(), arrivals_tag());
}

bool Barrier::broken() {
  const Round round = Round::of(body_.state.load());
  return round.phase == Phase::broken || has_dead(round);
}

void Barrier::abandon() { wake_both_sets(); }

uint32_t Barrier::waiting() const {
  const Round round = Round::of(body_.state.load());
  return round.phase == Phase::filling ? static_cast<uint32_t>(round.arrived) : 0;
}

namespace {

using Table = InitialTable<uint64_t, kPartiesMax>;

void initialise(Object& object, const OpenRequest&) {
  platform::init_mutex(&object.body<BarrierBody>()->mutex);
  KILL_POINT("store.make.barrier_mutex");
}

void forget_users(Object& object) {
  BarrierBody* barrier = object.body<BarrierBody>();
  platform::init_mutex(&barrier->mutex);
  KILL_POINT("store.forget_users.barrier_mutex");
  // Those who had arrived are dead. So the round is broken, as if an agent had seen their death.
  Round round = Round::of(barrier->state.load());
  if (round.phase != Phase::broken && (round.arrived != 0 || round.phase == Phase::acting)) {
    round.phase = Phase::broken;
    barrier->state.store(round.state());
    KILL_POINT("store.forget_users.round");
  }
  reset(barrier->waiters);
  reset(barrier->arrivals);
}

constexpr KindOps make_ops() {
  KindOps ops{"Barrier"};
  ops.initial = "parties:";
  ops.table_length = Table::length;
  ops.is_plausible = Table::is_plausible;
  ops.initialise = initialise;
  ops.forget_users = forget_users;
  ops.observe = observe_barrier;
  return ops;
}

}  // namespace

extern const KindOps kBarrierOps;
const KindOps kBarrierOps = make_ops();

}  // namespace holdfast::core
