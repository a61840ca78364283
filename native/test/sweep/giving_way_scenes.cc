// Giving way to an overdue agent: one agent dies or stands still, overdue or giving way. The others
// get the object, and nobody is robbed of it.
#include <signal.h>

#include <optional>

#include "core/primitives/rlock.h"
#include "core/registry/overdue.h"
#include "scene.h"

namespace holdfast::test::sweeping {

namespace {

using core::Lock;
using core::RLock;

constexpr const char* kName = "swept";
constexpr uint64_t kLong_ms = 64 * core::kSlice_ms;  // so that others give way for a slice

template <class Primitive>
struct GivingWayScene : Scene {
  std::optional<User<Primitive>> user;
  std::optional<User<Primitive>> other;  // another agent of the witness

  Primitive& object() { return user->primitive; }
  core::WaitSet& set() { return object().waiters(); }
  static void announce(User<Primitive>& who, uint64_t waited_ms = kLong_ms) {
    core::announce_overdue(who->waiters(), who.party.registry(), who.id(), waited_ms);
  }
  // As a wait that ends in vain.
  static void withdraw(User<Primitive>& who) {
    if (core::end_overdue(who->waiters(), who.id())) who->pass_on();
  }
  void try_and_let_go() {
    facts->holds = bool(object().try_acquire_or_rescue());
    if (facts->holds) facts->holds = object().release() != Code::ok;
  }

  void get_ready() override {
    user.emplace(kName);
    facts->victim = user->id();
  }
  void finish() override {
    CHECK(!object().is_held_by_caller());
    user.reset();
  }
  void arrive() override {
    user.emplace(kName);
    other.emplace(user->party.shared_store(), kName);
  }
  void leave() override {
    other.reset();
    user.reset();
  }
  void get_it_and_let_go(User<Primitive>& who) {
    EVENTUALLY(bool(who->try_acquire_or_rescue()));
    CHECK_EQUAL(who->release(), Code::ok);
  }
  // Beside one that stands still, too, unless that one holds it.
  void meanwhile() override {
    const int64_t deadline = now_ns() + kMeanwhile_ms * platform::kNanosPerMilli;
    Outcome outcome;
    while (!(outcome = object().try_acquire_or_rescue()) && now_ns() < deadline) sleep_ms(1);
    if (outcome) CHECK_EQUAL(object().release(), Code::ok);
    CHECK(outcome || object().owner() == facts->victim);
  }
  Progress check() override {
    get_it_and_let_go(*user);
    get_it_and_let_go(*other);
    // What the dead had announced is gone, by the tries above.
    CHECK_EQUAL(set().overdue.load(), 0u);
    CHECK_EQUAL(core::count_waiting(set(), user->party.registry()), 0u);
    return Progress::unknown;
  }
};

template <class Primitive>
struct OverdueAcquires : GivingWayScene<Primitive> {
  void operate() override {
    this->announce(*this->user);
    this->try_and_let_go();
  }
};
OPERATION("Lock", "announce and acquire", OverdueAcquires<Lock>);
OPERATION("RLock", "announce and acquire", OverdueAcquires<RLock>);

// One that gave way is asleep, and is woken.
template <class Primitive>
struct Withdraw : GivingWayScene<Primitive> {
  Waiter waiter;
  void set_up() override { waiter.enrol(this->set(), this->user->party.agent()); }
  void operate() override {
    this->announce(*this->user);
    this->withdraw(*this->user);
  }
  Progress check() override {
    const bool woken = waiter.was_woken();
    if (!this->facts->died) CHECK(woken);
    return GivingWayScene<Primitive>::check();
  }
};
OPERATION("Lock", "announce and withdraw", Withdraw<Lock>);
OPERATION("RLock", "announce and withdraw", Withdraw<RLock>);

template <class Primitive>
struct GiveWayToTheDead : GivingWayScene<Primitive> {
  bool has_casualty() const override { return true; }
  void casualty() override {
    User<Primitive> dying(kName);
    this->announce(dying);
    kill(getpid(), SIGKILL);
  }
  void operate() override { this->try_and_let_go(); }
};
OPERATION("Lock", "give way to the dead", GiveWayToTheDead<Lock>);
OPERATION("RLock", "give way to the dead", GiveWayToTheDead<RLock>);

// An overdue agent that lives and does not come: the witness's other one.
template <class Primitive>
struct GiveWayInVain : GivingWayScene<Primitive> {
  void set_up() override { this->announce(*this->other); }
  void get_ready() override {
    GivingWayScene<Primitive>::get_ready();
    CHECK(!this->object().try_acquire_or_rescue());
    platform::sleep_ns(core::kSlice_ns + 2 * platform::kNanosPerMilli);
  }
  void operate() override { this->try_and_let_go(); }
};
SLOW_OPERATION("Lock", "give way to one that does not come", GiveWayInVain<Lock>);
SLOW_OPERATION("RLock", "give way to one that does not come", GiveWayInVain<RLock>);

// Two wait, and the second is overdue: it is the one that is woken.
template <class Primitive>
struct ReleaseToTheOverdue : GivingWayScene<Primitive> {
  Waiter first, overdue;
  void set_up() override {
    first.enrol(this->set(), this->user->party.agent());
    overdue.enrol(this->set(), this->other->party.agent());
    this->announce(*this->other);
  }
  void get_ready() override {
    GivingWayScene<Primitive>::get_ready();
    // It was about to acquire when the other one announced itself.
    const uint64_t word = this->set().overdue.exchange(0);
    CHECK(bool(this->object().try_acquire()));
    this->set().overdue.store(word);
  }
  void operate() override {
    this->facts->holds = true;
    this->facts->holds = this->object().release() != Code::ok;
  }
  void meanwhile() override {}
  Progress check() override {
    const bool first_woken = first.was_woken(), overdue_woken = overdue.was_woken();
    if (!this->facts->died) CHECK(overdue_woken && !first_woken);
    this->withdraw(*this->other);
    this->user->party.agent().take_wakes();
    return GivingWayScene<Primitive>::check();
  }
};
OPERATION("Lock", "release to the overdue", ReleaseToTheOverdue<Lock>);
OPERATION("RLock", "release to the overdue", ReleaseToTheOverdue<RLock>);

}  // namespace

}  // namespace holdfast::test::sweeping
