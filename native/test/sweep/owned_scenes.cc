// Lock and RLock: after a death in any step, the next agent gets the lock, and is told if and only
// if the word named the dead one. An agent that only stands still keeps its lock.
#include <signal.h>

#include <optional>

#include "core/primitives/rlock.h"
#include "scene.h"

namespace holdfast::test::sweeping {

namespace {

using core::Lock;
using core::RLock;

constexpr const char* kName = "swept";

template <class Primitive>
struct OwnedScene : Scene {
  std::optional<User<Primitive>> user;  // in each process its own
  // The witness's last short attempt: an agent that opens the lock and looks once, as of a program
  // that opens, tries and closes. The witness keeps `user` open beside it, so the object stays.
  std::optional<User<Primitive>> attempt;
  bool witness_holds = false;
  bool witness_told = false;

  Primitive& object() { return user->primitive; }

  // ---- what a kind of operation says of itself

  virtual bool acquires() const { return true; }      // else it lets go, or holds throughout
  virtual bool always_held() const { return false; }  // from get_ready to finish

  Progress progress(AgentId owner) {
    if (always_held()) return Progress::unknown;
    return (owner == facts->victim) == acquires() ? Progress::done : Progress::not_done;
  }

  // ---- the victim

  void get_ready() override {
    user.emplace(kName);
    facts->victim = user->id();
  }
  void took(const Outcome& outcome) {
    facts->holds = bool(outcome);
    facts->told = outcome.abandoned;
  }
  void hold() {
    CHECK(bool(acquire(*user)));
    facts->holds = true;
  }
  void let_go() { facts->holds = object().release() != Code::ok; }
  void finish() override {
    CHECK_EQUAL(object().is_held_by_caller(), facts->holds.load());
    if (facts->holds) CHECK_EQUAL(object().release(), Code::ok);
    user.reset();
  }

  // ---- the witness

  void arrive() override { user.emplace(kName); }
  void leave() override { user.reset(); }
  void set_up() override { witness_holds = witness_told = false; }

  bool is_alive(AgentId id) { return user->party.registry().alive(id); }

  // INV-3: no attempt knows of another one.
  Outcome try_shortly() {
    attempt.emplace(user->party.shared_store(), kName);
    return (*attempt)->try_acquire_or_rescue();
  }

  // Looks without enrolling anywhere, until it has it or it is sure that it is refused.
  void try_to_get_by() {
    const int64_t deadline = now_ns() + kMeanwhile_ms * platform::kNanosPerMilli;
    const AgentId before = object().owner();
    Outcome outcome;
    while (!(outcome = try_shortly()) && now_ns() < deadline) sleep_ms(1);
    if (!outcome) return attempt.reset();
    CHECK(before == 0 || !is_alive(before));  // INV-1
    CHECK_EQUAL(outcome.abandoned, before != 0);
    witness_holds = true;
    witness_told = outcome.abandoned;
  }
  void meanwhile() override { try_to_get_by(); }

  void afterwards() override {
    if (always_held()) CHECK(!witness_holds);
    if (witness_holds) CHECK(!facts->holds);
    // It was to be had, and nobody else was there.
    if (acquires() && !always_held()) CHECK(witness_holds || facts->holds);
    let_witness_go();
  }
  void let_witness_go() {
    if (witness_holds) CHECK_EQUAL((attempt ? attempt->primitive : object()).release(), Code::ok);
    witness_holds = false;
    attempt.reset();
  }

  Progress check() override {
    let_witness_go();
    const AgentId owner = object().owner();
    CHECK(owner == 0 || owner == facts->victim || owner == facts->casualty);
    if (owner != 0) CHECK(!is_alive(owner));
    const Progress how_far = progress(owner);
    Outcome outcome;
    EVENTUALLY(bool(outcome = try_shortly()));
    CHECK_EQUAL(outcome.abandoned, owner != 0);
    CHECK((*attempt)->is_held_by_caller());
    CHECK(!object().try_acquire_or_rescue());
    CHECK_EQUAL((*attempt)->release(), Code::ok);
    attempt.reset();
    User<Primitive> other(user->party.shared_store(), kName);
    outcome = acquire(other);
    CHECK(bool(outcome) && !outcome.abandoned);
    CHECK(!object().try_acquire_or_rescue());
    CHECK_EQUAL(other->release(), Code::ok);
    CHECK_EQUAL(object().owner(), 0u);
    CHECK_EQUAL(core::count_waiting(object().waiters(), user->party.registry()), 0u);
    restore_tokens();
    return how_far;
  }

  // INV-2 lets tokens be more than one, but each play adds one or two at the most.
  void restore_tokens() {
    if constexpr (std::is_same_v<Primitive, Lock>) {
      int tokens = 0;
      while (platform::try_wait(user->object.semaphore())) tokens++;
      CHECK(tokens >= 1 && tokens <= 4);
      platform::post(user->object.semaphore());
    }
  }
};

// ---------------------------------------------------------------- acquiring

template <class Primitive>
struct TryFree : OwnedScene<Primitive> {
  void operate() override { this->took(this->object().try_acquire()); }
};
OPERATION("Lock", "try, free", TryFree<Lock>);
OPERATION("RLock", "try, free", TryFree<RLock>);

template <class Primitive>
struct WaitFree : OwnedScene<Primitive> {
  void operate() override {
    this->took(this->object().wait(now_ns() + 2 * platform::kNanosPerMilli));
  }
};
OPERATION("Lock", "wait, free", WaitFree<Lock>);
OPERATION("RLock", "wait, free", WaitFree<RLock>);

template <class Primitive>
struct WaitInVain : OwnedScene<Primitive> {
  void set_up() override {
    this->witness_holds = bool(acquire(*this->user));
    CHECK(this->witness_holds);
  }
  void operate() override { this->took(this->object().wait(now_ns() + platform::kNanosPerMilli)); }
  void meanwhile() override {
    this->let_witness_go();
    this->try_to_get_by();
  }
  Progress progress(AgentId) { return Progress::unknown; }
  Progress check() override {
    if (this->facts->died) CHECK(this->object().is_held_by_caller());
    OwnedScene<Primitive>::check();
    return Progress::unknown;
  }
};
OPERATION("Lock", "wait, timing out", WaitInVain<Lock>);
OPERATION("RLock", "wait, timing out", WaitInVain<RLock>);

template <class Primitive>
struct TakeOver : OwnedScene<Primitive> {
  bool has_casualty() const override { return true; }
  void casualty() override {
    User<Primitive> dying(kName);
    CHECK(bool(acquire(dying)));
    this->facts->casualty = dying.id();
    kill(getpid(), SIGKILL);  // before anything is let go
  }
  void operate() override { this->took(this->object().try_acquire_or_rescue()); }
  void afterwards() override {
    // The news goes to the one who gets it first, and to nobody else.
    CHECK(this->witness_told != this->facts->told);
    OwnedScene<Primitive>::afterwards();
  }
};
OPERATION("Lock", "take over from the dead", TakeOver<Lock>);
OPERATION("RLock", "take over from the dead", TakeOver<RLock>);

// INV-3: the token died with somebody. The victim is the one who posts another.
struct FindLostToken : OwnedScene<Lock> {
  bool has_casualty() const override { return true; }
  void casualty() override {
    User<Lock> dying(kName);
    CHECK(platform::try_wait(dying.object.semaphore()));
    kill(getpid(), SIGKILL);
  }
  void get_ready() override {
    OwnedScene<Lock>::get_ready();
    CHECK(!object().try_acquire_or_rescue());
    platform::sleep_ns(2 * core::kSlice_ns + 2 * platform::kNanosPerMilli);
  }
  void operate() override { took(object().try_acquire_or_rescue()); }
};
SLOW_OPERATION("Lock", "find a lost token", FindLostToken);

// The word is free, and the mutex is not to be had: hold, and let go, without it.
struct HoldWithoutMutex : OwnedScene<RLock> {
  bool acquires() const override { return false; }
  platform::MutexParty nobody() {
    return {1, [](uint64_t, void*) { return true; }, nullptr};
  }
  void set_up() override {
    OwnedScene<RLock>::set_up();
    CHECK(platform::try_lock_mutex(&object().body().mutex, nobody()) ==
          platform::MutexResult::locked);
  }
  void get_ready() override {
    OwnedScene<RLock>::get_ready();
    if (!user->party.agent().may_lock_mutexes()) return;
    CHECK(!object().try_acquire_or_rescue());
    platform::sleep_ns(2 * core::kSlice_ns + 2 * platform::kNanosPerMilli);
  }
  void operate() override {
    took(object().try_acquire_or_rescue());
    if (facts->holds) let_go();
  }
  Progress check() override {
    platform::unlock_mutex(&object().body().mutex, nobody());
    OwnedScene<RLock>::check();
    return Progress::unknown;
  }
};
SLOW_OPERATION("RLock", "hold without its mutex", HoldWithoutMutex);

// ---------------------------------------------------------------- letting go

template <class Primitive>
struct Release : OwnedScene<Primitive> {
  bool acquires() const override { return false; }
  void get_ready() override {
    OwnedScene<Primitive>::get_ready();
    this->hold();
  }
  void operate() override { this->let_go(); }
};
OPERATION("Lock", "release", Release<Lock>);
OPERATION("RLock", "release", Release<RLock>);

template <class Primitive>
struct ReleaseHold : Release<Primitive> {
  void operate() override {
    this->facts->holds = this->object().release_hold(this->object().hold_number()) != Code::ok;
  }
};
OPERATION("Lock", "release of a guard", ReleaseHold<Lock>);
OPERATION("RLock", "release of a guard", ReleaseHold<RLock>);

template <class Primitive>
struct ReleaseToWaiter : Release<Primitive> {
  int index = -1;
  void set_up() override {
    Release<Primitive>::set_up();
    core::Agent& agent = this->user->party.agent();
    agent.take_wakes();
    index = core::enrol(this->object().waiters(), agent.registry(), agent.id(), 1,
                        core::WaitHow::at_doorbell);
    CHECK(index >= 0);
  }
  Progress check() override {
    core::Agent& agent = this->user->party.agent();
    // INV-4, INV-5: nobody died, so the wake-up came, and it came once.
    const bool woken = !core::cancel(this->object().waiters(), agent.id(), index);
    const std::vector<uint64_t> tags = agent.take_wakes();
    if (!this->facts->died) CHECK(woken && tags.size() == 1);
    if (!tags.empty()) CHECK(woken && tags[0] == this->user->object.tag());
    return Release<Primitive>::check();
  }
};
OPERATION("Lock", "release to a waiter", ReleaseToWaiter<Lock>);
OPERATION("RLock", "release to a waiter", ReleaseToWaiter<RLock>);

// Somebody is parked, so the release has to take the request.
template <class Primitive>
struct ReleaseToParked : Release<Primitive> {
  void set_up() override {
    Release<Primitive>::set_up();
    this->object().body().asleep.store(1);
  }
  Progress check() override {
    const bool asked = this->object().body().asleep.exchange(0) != 0;
    if (!this->facts->died) CHECK_EQUAL(asked, !platform::traits::kTimedWaits);
    return Release<Primitive>::check();
  }
};
OPERATION("Lock", "release to one that is parked", ReleaseToParked<Lock>);
OPERATION("RLock", "release to one that is parked", ReleaseToParked<RLock>);

// As Environment::end() does it: first the agent dies, then what it held is given an alarm.
template <class Primitive>
struct Abandon : OwnedScene<Primitive> {
  bool acquires() const override { return true; }
  void get_ready() override {
    OwnedScene<Primitive>::get_ready();
    this->hold();
  }
  void operate() override {
    this->user->party.agent().end();
    this->object().abandon();
  }
  void afterwards() override {
    if (this->witness_holds) CHECK(this->witness_told);
    this->let_witness_go();
  }
  void finish() override { this->user.reset(); }
  Progress check() override {
    // Unless the witness had it in between, which was told then.
    if (!this->witness_told) CHECK_EQUAL(this->object().owner(), this->facts->victim.load());
    OwnedScene<Primitive>::check();
    return Progress::unknown;
  }
};
OPERATION("Lock", "end of an agent that holds", Abandon<Lock>);
OPERATION("RLock", "end of an agent that holds", Abandon<RLock>);

struct Nested : OwnedScene<RLock> {
  bool always_held() const override { return true; }
  void get_ready() override {
    OwnedScene<RLock>::get_ready();
    hold();
  }
  void operate() override {
    CHECK(bool(object().try_acquire_or_rescue()));
    CHECK_EQUAL(object().release(), Code::ok);
  }
  Progress check() override {
    if (facts->died) CHECK_EQUAL(object().owner(), facts->victim.load());
    return OwnedScene<RLock>::check();
  }
};
OPERATION("RLock", "nested acquire and release", Nested);

}  // namespace

}  // namespace holdfast::test::sweeping
