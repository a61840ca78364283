// Condition: after a death in any step, its lock is taken over, and a notification reaches somebody
// who lives (INV-17): not one that died on its way to the lock.
#include <signal.h>

#include <optional>

#include "core/primitives/condition.h"
#include "core/primitives/rlock.h"
#include "scene.h"

namespace holdfast::test::sweeping {

namespace {

using core::Condition;
using core::WaitStatus;

constexpr uint32_t kWaits = 1, kNotified = 2;  // Waiting::state

// An agent with a condition and the lock that goes with it.
template <class L>
struct Member {
  Party party;
  core::Object &lock_object, &object;
  L lock;
  Condition condition;
  int place = -1;

  static core::OpenRequest request() {
    core::OpenRequest request = request_for(Kind::condition, "swept");
    request.lock_kind = kind_of<L>();
    request.lock_name = "swept lock";
    request.lock_given = true;
    return request;
  }
  template <class... Args>
  explicit Member(Args&&... args)
      : party(std::forward<Args>(args)...),
        lock_object(party.open(kind_of<L>(), "swept lock")),
        object(party.open(request())),
        lock(party.agent(), lock_object),
        condition(party.agent(), object) {}

  AgentId id() { return party.agent().id(); }
  core::Waiting& entry(int index) {
    return object.entry<core::Waiting>(static_cast<uint64_t>(index));
  }
  // The lock may be dead's; its token may have gone with somebody.
  Outcome acquire() {
    Outcome outcome;
    EVENTUALLY(outcome = lock.try_acquire_or_rescue());
    return outcome;
  }
  void release() { CHECK_EQUAL(lock.release(), Code::ok); }
  void begin() {
    acquire();
    place = condition.begin();
    CHECK(place >= 0);
    release();
  }
  bool finish() {
    acquire();
    const bool notified = condition.finish(place);
    release();
    place = -1;
    return notified;
  }
  void notify(uint32_t count, uint32_t notified) {
    acquire();
    CHECK_EQUAL(condition.notify(count), notified);
    release();
  }
  bool is_notified() { return condition.status_of(place) == WaitStatus::notified; }
};

template <class L>
struct ConditionScene : Scene {
  using M = Member<L>;
  std::optional<M> me;
  std::optional<M> first, second;  // of the witness: they wait, in this order

  // ---- what an operation says of itself
  virtual bool victim_locks() const { return true; }
  virtual bool have_waits() const { return true; }

  M& member() { return *me; }

  // ---- the victim

  void get_ready() override {
    me.emplace();
    facts->victim = me->id();
    if (victim_locks()) me->acquire();
    facts->holds = victim_locks();
  }
  void finish() override {
    CHECK_EQUAL(me->lock.is_held_by_caller(), facts->holds.load());
    if (facts->holds) me->release();
    me.reset();
  }

  // ---- the witness

  void arrive() override {
    me.emplace();
    first.emplace(me->party.shared_store());
    second.emplace(me->party.shared_store());
  }
  void leave() override {
    second.reset();
    first.reset();
    me.reset();
  }
  void set_up() override {
    if (!have_waits()) return;
    first->begin();
    second->begin();
    first->party.agent().take_wakes();
    second->party.agent().take_wakes();
  }
  void meanwhile() override {
    // The holder of the lock is alive.
    if (victim_locks()) CHECK(!me->lock.try_acquire_or_rescue());
  }

  // The next one who gets the lock is told if the victim died with it, and takes care of the dead.
  void take_over() {
    const AgentId owner = me->lock.owner();
    CHECK(owner == 0 || owner == facts->victim);
    const Outcome outcome = me->acquire();
    CHECK_EQUAL(outcome.abandoned, owner != 0);
    me->release();
  }
  // As a waiter does it that is woken by a slice or by news of death.
  void look_and_rescue(M& waiter) {
    if (waiter.condition.status_of(waiter.place) != WaitStatus::rescue) return;
    waiter.acquire();
    waiter.condition.rescue();
    waiter.release();
    CHECK(waiter.condition.status_of(waiter.place) != WaitStatus::rescue);
  }
  uint32_t entries() {
    uint32_t count = 0;
    for (uint32_t i = 0; i < core::kConditionWaitsMax; i++) count += me->entry(int(i)).owner != 0;
    return count;
  }
  void end_waits() {
    if (first->place >= 0) first->finish();
    if (second->place >= 0) second->finish();
  }
  // Two wait, and are notified one by one, in order.
  void check_works() {
    end_waits();
    CHECK_EQUAL(me->condition.waiting(), 0u);
    first->begin();
    second->begin();
    CHECK_EQUAL(me->condition.waiting(), 2u);
    first->party.agent().take_wakes();
    me->notify(1, 1);
    CHECK(first->is_notified() && !second->is_notified());
    CHECK_EQUAL(first->party.agent().take_wakes().size(), 1u);
    me->notify(5, 1);
    CHECK(second->is_notified());
    CHECK(first->finish() && second->finish());
    CHECK_EQUAL(me->condition.waiting(), 0u);
    me->notify(1, 0);
    CHECK_EQUAL(entries(), 0u);
  }

  virtual Progress judge() = 0;
  Progress check() override {
    take_over();
    const Progress progress = judge();
    check_works();
    return progress;
  }
};

// ---------------------------------------------------------------- waiting

// From the lock to the lock, not notified.
template <class L>
struct WaitInVain : ConditionScene<L> {
  bool have_waits() const override { return false; }
  void set_up() override { this->me->object.template body<core::ConditionBody>()->lock_tag = 0; }
  void meanwhile() override {}
  void operate() override {
    Member<L>& waiter = *this->me;
    CHECK(waiter.condition.bind(waiter.lock_object.tag()));
    const int place = waiter.condition.begin();
    const uint64_t hold = waiter.lock.hold_number();
    waiter.release();
    CHECK(waiter.condition.wait(place, now_ns() + platform::kNanosPerMilli) == WaitStatus::none);
    CHECK(bool(waiter.lock.try_acquire_or_rescue()));
    waiter.lock.resume(hold, 1);
    CHECK(waiter.lock.is_current_hold(hold));
    CHECK(!waiter.condition.finish(place));
  }
  Progress judge() override {
    CHECK(this->me->condition.bind(this->me->lock_object.tag()));
    CHECK_EQUAL(this->me->condition.waiting(), 0u);
    return Progress::unknown;
  }
};
OPERATION("Condition", "wait with a Lock, timing out", WaitInVain<core::Lock>);
OPERATION("Condition", "wait with an RLock, timing out", WaitInVain<core::RLock>);

// Free entries there are none, but the dead have some.
struct BeginAmongTheDead : ConditionScene<core::Lock> {
  bool have_waits() const override { return false; }
  bool has_casualty() const override { return true; }
  void casualty() override {
    M dying;
    for (uint32_t i = 0; i < core::kConditionWaitsMax; i++) {
      dying.entry(int(i)).state = kWaits;
      dying.entry(int(i)).owner = dying.id();
    }
    kill(getpid(), SIGKILL);
  }
  void operate() override {
    me->place = me->condition.begin();
    CHECK(me->place >= 0);
  }
  void finish() override {
    CHECK(!me->condition.finish(me->place));
    ConditionScene::finish();
  }
  Progress judge() override {
    me->notify(UINT32_MAX, 0);  // clears away
    return Progress::unknown;
  }
};
OPERATION("Condition", "begin, table full of the dead", BeginAmongTheDead);

// ---------------------------------------------------------------- notifying

template <class L, uint32_t count>
struct Notify : ConditionScene<L> {
  void operate() override { CHECK_EQUAL(this->me->condition.notify(count), std::min(count, 2u)); }
  void afterwards() override {
    CHECK(this->first->is_notified());
    CHECK_EQUAL(this->first->party.agent().take_wakes().size(), 1u);
    CHECK_EQUAL(this->second->is_notified(), count > 1);
  }
  Progress judge() override {
    Member<L>&earlier = *this->first, &later = *this->second;
    const bool one = earlier.is_notified(), two = later.is_notified();
    if (!this->facts->died) CHECK(one && two == (count > 1));
    CHECK(one || !two);
    CHECK(count > 1 || !two);
    // The notified agent gets it, though its wake-up may have been lost; and nobody else does.
    CHECK_EQUAL(earlier.finish(), one);
    CHECK_EQUAL(later.is_notified(), two);
    CHECK_EQUAL(later.finish(), two);
    return (count > 1 ? two : one) ? Progress::done : Progress::not_done;
  }
};
OPERATION("Condition", "notify(1), with a Lock", Notify<core::Lock, 1>);
OPERATION("Condition", "notify(1), with an RLock", Notify<core::RLock, 1>);
OPERATION("Condition", "notify of all", Notify<core::Lock, UINT32_MAX>);

// First in line is a dead one.
struct NotifyPastTheDead : Notify<core::Lock, 1> {
  bool has_casualty() const override { return true; }
  void casualty() override {
    M dying;
    dying.begin();
    dying.entry(dying.place).ticket = 0;
    kill(getpid(), SIGKILL);
  }
};
OPERATION("Condition", "notify past a dead one", NotifyPastTheDead);

// ---------------------------------------------------------------- notified, and on its way

// Makes `me` the first in line, and notifies it.
template <class L>
void be_notified(Member<L>& me) {
  me.begin();
  me.entry(me.place).ticket = 0;
  Member<L> another(me.party.shared_store());
  another.notify(1, 1);
  CHECK(me.is_notified());
}

template <class L>
struct OnItsWay : ConditionScene<L> {
  bool victim_locks() const override { return false; }
  void get_ready() override {
    ConditionScene<L>::get_ready();
    be_notified(*this->me);
    this->facts->number = static_cast<uint64_t>(this->me->place);
  }
  void operate() override {
    Member<L>& waiter = *this->me;
    CHECK(waiter.condition.wait(waiter.place, now_ns() + platform::kNanosPerMilli) ==
          WaitStatus::notified);
    CHECK(bool(waiter.lock.try_acquire_or_rescue()));
    this->facts->holds = true;
    waiter.lock.resume(waiter.lock.hold_number(), 1);
    CHECK(waiter.condition.finish(waiter.place));
  }
  // It lives: its notification is its own.
  void meanwhile() override {
    CHECK(this->first->condition.status_of(this->first->place) == WaitStatus::none);
    CHECK(!this->first->is_notified());
  }
  Progress judge() override {
    Member<L>&earlier = *this->first, &later = *this->second;
    const bool done = this->me->entry(int(this->facts->number)).owner != this->facts->victim;
    if (!this->facts->died) CHECK(done);
    // The later one in line may be the one to see it.
    this->look_and_rescue(later);
    this->look_and_rescue(earlier);
    // INV-17: it has had its lock again, or the next one has what was meant for it; and only that
    // one.
    CHECK_EQUAL(earlier.is_notified(), !done);
    CHECK(!later.is_notified());
    CHECK_EQUAL(earlier.finish(), !done);
    CHECK(!later.is_notified());
    return done ? Progress::done : Progress::not_done;
  }
};
OPERATION("Condition", "notified, with a Lock", OnItsWay<core::Lock>);
OPERATION("Condition", "notified, with an RLock", OnItsWay<core::RLock>);

// A notified one is dead; the victim is the one to see it.
struct Rescue : ConditionScene<core::Lock> {
  bool has_casualty() const override { return true; }
  void casualty() override {
    M dying;
    be_notified(dying);
    kill(getpid(), SIGKILL);
  }
  void operate() override { me->condition.rescue(); }
  Progress judge() override {
    const bool rescued = first->is_notified();
    if (!facts->died) CHECK(rescued && !second->is_notified());
    look_and_rescue(*first);
    look_and_rescue(*second);
    // Dying between the two steps may have notified one too many, and never one too few.
    CHECK(first->is_notified());
    CHECK(first->finish());
    return rescued ? Progress::done : Progress::not_done;
  }
};
OPERATION("Condition", "rescue after a dead notified one", Rescue);

}  // namespace

}  // namespace holdfast::test::sweeping
