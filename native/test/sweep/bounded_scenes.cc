// BoundedSemaphore: after a death in any step, the living can acquire as many permits as there are
// and not one more; of those whose holders died, each is told once.
#include <signal.h>

#include <optional>

#include "scene.h"

namespace holdfast::test::sweeping {

namespace {

using core::BoundedSemaphore;

constexpr uint32_t kPermits = 3;

struct BoundedScene : Scene {
  std::optional<User<BoundedSemaphore>> user;
  std::vector<uint64_t> holds;  // of this process
  Waiter waiter;

  // ---- what an operation says of itself: how many permits are held by whom before it
  virtual uint32_t victims() const { return 0; }
  virtual uint32_t witnesss() const { return 0; }
  virtual int change() const { return 0; }  // of the victim's
  virtual bool has_waiter() const { return false; }

  BoundedSemaphore& object() { return user->primitive; }
  void open() {
    core::OpenRequest request = request_for(Kind::bounded_semaphore, "swept");
    request.initial = kPermits;
    user.emplace(request);
  }
  uint32_t words_of(AgentId id) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < kPermits; i++) count += object().owner_of(i) == id;
    return count;
  }
  bool take() {
    const Outcome outcome = object().try_acquire_or_rescue();
    if (outcome) holds.push_back(outcome.hold);
    facts->told = facts->told || outcome.abandoned;
    return bool(outcome);
  }
  void take_surely(uint32_t count) {
    for (uint32_t i = 0; i < count; i++) CHECK(take());
  }
  void give_back_all() {
    for (const uint64_t hold : holds) CHECK_EQUAL(object().release_hold(hold), Code::ok);
    holds.clear();
  }

  // ---- the victim

  void get_ready() override {
    open();
    facts->victim = user->id();
    holds.reserve(size_t{2} * kPermits);
    take_surely(victims());
  }
  void finish() override {
    CHECK_EQUAL(words_of(user->id()), holds.size());
    give_back_all();
    user.reset();
  }

  // ---- the witness

  void arrive() override { open(); }
  void leave() override { user.reset(); }
  void set_up() override {
    CHECK_EQUAL(object().value(), kPermits);
    take_surely(witnesss());
    if (has_waiter()) waiter.enrol(object().waiters(), user->party.agent());
  }
  void meanwhile() override {
    while (take()) {
    }
  }
  // The victim has ended its operation and still has what it holds.
  void afterwards() override {
    CHECK(words_of(facts->victim) + words_of(user->id()) <= kPermits);
    CHECK_EQUAL(words_of(user->id()), holds.size());  // INV-1: nobody was robbed
    if (change() <= 0) CHECK_EQUAL(words_of(facts->victim), victims() + uint32_t(change()));
  }

  Progress check() override {
    if (waiter.is_enrolled()) {
      const bool woken = waiter.was_woken();
      if (!facts->died) CHECK(woken);  // INV-4
    }
    const uint32_t left = words_of(facts->victim);
    give_back_all();
    uint32_t dead = 0;
    for (uint32_t i = 0; i < kPermits; i++) dead += object().owner_of(i) != 0;
    User<BoundedSemaphore> other(user->party.shared_store(), "swept");
    CHECK_EQUAL(other->value(), kPermits);
    uint32_t told = 0;
    for (uint32_t i = 0; i < kPermits; i++) {
      const Outcome outcome = object().try_acquire_or_rescue();
      CHECK(bool(outcome));
      told += outcome.abandoned;
      holds.push_back(outcome.hold);
    }
    CHECK_EQUAL(told, dead);
    CHECK(!other->try_acquire_or_rescue() && !object().try_acquire_or_rescue() &&
          object().all_held_by_caller());
    give_back_all();
    for (uint32_t i = 0; i < kPermits; i++) {
      const Outcome outcome = other->try_acquire_or_rescue();
      CHECK(bool(outcome) && !outcome.abandoned);
    }
    CHECK(!object().try_acquire_or_rescue());
    for (uint32_t i = 0; i < kPermits; i++) CHECK_EQUAL(other->release(), Code::ok);
    CHECK_EQUAL(other->release(), Code::over_release);
    CHECK_EQUAL(core::count_waiting(object().waiters(), user->party.registry()), 0u);
    if (change() == 0) return Progress::unknown;
    return left == victims() + uint32_t(change()) ? Progress::done : Progress::not_done;
  }
};

// ---------------------------------------------------------------- acquiring

struct TryFree : BoundedScene {
  int change() const override { return 1; }
  void operate() override { take(); }
};
OPERATION("BoundedSemaphore", "try, free", TryFree);

struct WaitFree : TryFree {
  uint32_t victims() const override { return 1; }
  uint32_t witnesss() const override { return 1; }
  void operate() override {
    const Outcome outcome = object().wait(now_ns() + 2 * platform::kNanosPerMilli);
    if (outcome) holds.push_back(outcome.hold);
  }
};
OPERATION("BoundedSemaphore", "wait, free", WaitFree);

struct WaitInVain : BoundedScene {
  uint32_t witnesss() const override { return kPermits; }
  void operate() override { CHECK(!object().wait(now_ns() + platform::kNanosPerMilli)); }
};
OPERATION("BoundedSemaphore", "wait, timing out", WaitInVain);

// All are taken, and one of the holders is dead.
struct TakeOver : BoundedScene {
  uint32_t witnesss() const override { return kPermits - 1; }
  int change() const override { return 1; }
  bool has_casualty() const override { return true; }
  void casualty() override {
    User<BoundedSemaphore> dying("swept");
    CHECK(bool(dying->try_acquire_or_rescue()));
    kill(getpid(), SIGKILL);
  }
  void operate() override { take(); }
  // The news goes to the one who gets it first.
  void afterwards() override {
    BoundedScene::afterwards();
    CHECK(facts->told);
    CHECK_EQUAL(words_of(facts->victim) + words_of(user->id()), kPermits);
  }
};
OPERATION("BoundedSemaphore", "take over from the dead", TakeOver);

// ---------------------------------------------------------------- letting go

struct Release : BoundedScene {
  uint32_t victims() const override { return 2; }
  int change() const override { return -1; }
  void operate() override {
    CHECK_EQUAL(object().release(), Code::ok);
    // It may have been either of them.
    if (!object().is_current_hold(holds[0])) holds[0] = holds[1];
    holds.pop_back();
  }
};
OPERATION("BoundedSemaphore", "release", Release);

struct ReleaseHold : BoundedScene {
  uint32_t victims() const override { return 2; }
  int change() const override { return -1; }
  void operate() override {
    CHECK_EQUAL(object().release_hold(holds.back()), Code::ok);
    holds.pop_back();
  }
};
OPERATION("BoundedSemaphore", "release of a guard", ReleaseHold);

struct ReleaseToWaiter : ReleaseHold {
  uint32_t witnesss() const override { return 1; }
  bool has_waiter() const override { return true; }
};
OPERATION("BoundedSemaphore", "release to a waiter", ReleaseToWaiter);

struct Abandon : BoundedScene {
  uint32_t victims() const override { return 2; }
  bool has_waiter() const override { return true; }
  void operate() override {
    user->party.agent().end();
    object().abandon();
  }
  // Nobody takes what the ended agent held before it has woken for it.
  void meanwhile() override {}
  void afterwards() override { CHECK_EQUAL(object().value(), kPermits); }
  void finish() override { user.reset(); }
};
OPERATION("BoundedSemaphore", "end of an agent that holds", Abandon);

}  // namespace

}  // namespace holdfast::test::sweeping
