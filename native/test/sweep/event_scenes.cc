// Event: after a death in any step, the next set() is seen by all who wait, and the next clear()
// holds.
#include <signal.h>

#include <optional>

#include "scene.h"

namespace holdfast::test::sweeping {

namespace {

using core::Event;

struct EventScene : Scene {
  std::optional<User<Event>> user;
  Waiter waiter;
  uint64_t since = 0;  // where the waiter's wait began

  virtual bool set_before() const { return false; }
  virtual bool set_after() const { return true; }
  virtual bool has_waiter() const { return false; }

  Event& object() { return user->primitive; }
  void get_ready() override {
    user.emplace("swept");
    facts->victim = user->id();
  }
  void finish() override { user.reset(); }

  void arrive() override { user.emplace("swept"); }
  void leave() override { user.reset(); }
  void set_up() override {
    object().clear();
    if (set_before()) object().set();
    since = object().sets();
    if (has_waiter()) waiter.enrol(object().waiters(), user->party.agent());
  }
  // Nothing may block: whatever the victim is about, the word is anybody's.
  void meanwhile() override { facts->number = object().sets(); }
  void afterwards() override { CHECK_EQUAL(object().is_set(), set_after()); }

  Progress check() override {
    const bool is_set = object().is_set();
    if (waiter.is_enrolled()) {
      const bool woken = waiter.was_woken();
      if (!facts->died) CHECK(woken);              // INV-4
      if (woken) CHECK(object().happened(since));  // a wake-up comes after what it tells of
      CHECK_EQUAL(object().happened(since), is_set);
    }
    // Whatever was left: a waiter sees a set() that is over again, and is woken.
    const uint64_t start = (object().clear(), object().sets());
    CHECK(!object().happened(start));
    Waiter next;
    next.enrol(object().waiters(), user->party.agent());
    User<Event> other(user->party.shared_store(), "swept");
    other->set();
    other->clear();
    CHECK(next.was_woken());
    CHECK(object().happened(start) && !object().is_set());
    CHECK_EQUAL(core::count_waiting(object().waiters(), user->party.registry()), 0u);
    if (set_before() == set_after()) return Progress::unknown;
    return is_set == set_after() ? Progress::done : Progress::not_done;
  }
};

struct Set : EventScene {
  void operate() override { object().set(); }
};
OPERATION("Event", "set", Set);

struct SetWithWaiter : Set {
  bool has_waiter() const override { return true; }
};
OPERATION("Event", "set with a waiter", SetWithWaiter);

// Stopped anywhere in it: who sees the flag takes it down, and it stays down.
struct SetAndClearedAtOnce : Set {
  void meanwhile() override {
    facts->told = object().is_set();
    if (facts->told) object().clear();
  }
  void afterwards() override { CHECK_EQUAL(object().is_set(), !facts->told); }
  Progress check() override {
    const Progress progress = EventScene::check();
    return facts->told ? Progress::unknown : progress;
  }
};
OPERATION("Event", "set, cleared at once", SetAndClearedAtOnce);

// Who set it died before it woke anybody: the next set() does so.
struct SetAgain : Set {
  bool set_before() const override { return true; }
  bool has_waiter() const override { return true; }
};
OPERATION("Event", "set of what is set", SetAgain);

struct Clear : EventScene {
  bool set_before() const override { return true; }
  bool set_after() const override { return false; }
  void operate() override { object().clear(); }
};
OPERATION("Event", "clear", Clear);

struct Wait : EventScene {
  bool set_after() const override { return false; }
  void operate() override {
    facts->holds = object().wait(object().sets(), now_ns() + platform::kNanosPerMilli);
  }
};
OPERATION("Event", "wait, timing out", Wait);

// While it waits, somebody sets and clears: it must have seen that, if it had begun to wait.
struct WaitForPulse : Wait {
  void get_ready() override {
    EventScene::get_ready();
    since = object().sets();
  }
  void operate() override {
    facts->holds = object().wait(since, now_ns() + platform::kNanosPerMilli);
  }
  void meanwhile() override {
    object().set();
    object().clear();
    facts->number = 1;
  }
  void afterwards() override {
    EventScene::afterwards();
    facts->told = true;
  }
  Progress check() override {
    // Stopped at its end, it had given up before the pulse.
    if (facts->holds) CHECK(facts->number == 1);
    return EventScene::check();
  }
};
OPERATION("Event", "wait for a pulse", WaitForPulse);

struct WaitSet : EventScene {
  bool set_before() const override { return true; }
  void operate() override {
    CHECK(object().wait(object().sets(), now_ns() + platform::kNanosPerMilli));
  }
};
OPERATION("Event", "wait, set", WaitSet);

}  // namespace

}  // namespace holdfast::test::sweeping
