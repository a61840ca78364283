// The wait set by itself: a wake-up that a dead or leaving waiter would have had goes to the next
// one.
#include <signal.h>

#include <optional>

#include "scene.h"

namespace holdfast::test::sweeping {

namespace {

using core::Lock;
using core::WaitHow;

struct EnrolAndCancel : Scene {
  std::optional<User<Lock>> user;
  std::optional<User<Lock>> waker;  // another agent of the witness
  int index = -1;
  bool has_woken = false;

  core::WaitSet& set() { return user->primitive.waiters(); }
  core::Registry& registry() { return user->party.registry(); }
  core::Agent& agent() { return user->party.agent(); }

  void get_ready() override {
    user.emplace("swept");
    facts->victim = user->id();
  }
  void operate() override {
    const int mine = core::enrol(set(), registry(), user->id(), 1, WaitHow::at_doorbell);
    if (!core::cancel(set(), user->id(), mine)) {
      core::wake_one(set(), registry(), user->object.tag());  // it was not for us
    }
  }
  void finish() override { user.reset(); }

  void arrive() override {
    user.emplace("swept");
    waker.emplace(user->party.shared_store(), "swept");
  }
  void leave() override {
    waker.reset();
    user.reset();
  }
  void set_up() override {
    agent().take_wakes();
    index = -1;
    has_woken = false;
  }
  void enrol_behind() {
    index = core::enrol(set(), registry(), user->id(), 1, WaitHow::at_doorbell);
  }
  void wake() { core::wake_one(waker->primitive.waiters(), registry(), user->object.tag()); }

  // Behind the victim, so that the wake-up finds the victim first if it may.
  void meanwhile() override {
    enrol_behind();
    CHECK(index >= 0);
    wake();
    has_woken = true;
  }
  Progress check() override {
    if (!has_woken) {
      enrol_behind();
      CHECK(index >= 0);
      wake();
    }
    // INV-5: one wake-up, and it has come, by way of the victim or past it.
    CHECK_EQUAL(agent().take_wakes().size(), 1u);
    CHECK(!core::cancel(set(), user->id(), index));
    CHECK_EQUAL(core::count_waiting(set(), registry()), 0u);
    return Progress::unknown;
  }
};
OPERATION("WaitSet", "enrol and cancel", EnrolAndCancel);

// All 128 entries belong to the dead; half of them have kept their bit.
struct EnrolAmongTheDead : EnrolAndCancel {
  bool has_casualty() const override { return true; }
  void casualty() override {
    User<Lock> dying("swept");
    core::WaitSet& all = dying->waiters();
    core::reset(all);
    for (uint32_t i = 0; i < core::kWaitSetSize; i++) {
      all.entry[i] = dying.id();
      all.wake_bits[i / 64].fetch_or(uint64_t{i % 2} << (i % 64));
    }
    kill(getpid(), SIGKILL);
  }
  Progress check() override {
    const Progress progress = EnrolAndCancel::check();
    core::reset(set());
    return progress;
  }
};
OPERATION("WaitSet", "enrol among the dead", EnrolAmongTheDead);

// As an event loop does it that was woken and found nothing.
struct EnrolAgain : EnrolAndCancel {
  void operate() override {
    int mine = core::enrol(set(), registry(), user->id(), 1, WaitHow::at_doorbell);
    const bool was_woken = set().entry[mine].load() != user->id();
    mine = core::enrol_again(set(), registry(), user->id(), 1, mine);
    const bool is_woken = !core::cancel(set(), user->id(), mine);
    if (was_woken || is_woken || !agent().take_wakes().empty()) {
      core::wake_one(set(), registry(), user->object.tag());
    }
  }
};
OPERATION("WaitSet", "enrol again", EnrolAgain);

// One wake-up, and two who want it: the waiter beside the victim's wake-up.
struct WakeOne : EnrolAndCancel {
  void set_up() override {
    EnrolAndCancel::set_up();
    enrol_behind();
    CHECK(index >= 0);
  }
  void operate() override { core::wake_one(set(), registry(), user->object.tag()); }
  void meanwhile() override { wake(); }
  Progress check() override {
    // A waker that died may have taken the wake-up with it: then the entry's own slice is what is
    // left.
    const bool woken = !core::cancel(set(), user->id(), index);
    const size_t wakes = agent().take_wakes().size();
    CHECK(wakes <= 1 && (wakes == 0 || woken));
    if (!facts->died) CHECK_EQUAL(wakes, 1u);
    CHECK_EQUAL(core::count_waiting(set(), registry()), 0u);
    enrol_behind();
    wake();
    CHECK_EQUAL(agent().take_wakes().size(), 1u);
    return wakes == 1 ? Progress::done : Progress::not_done;
  }
};
OPERATION("WaitSet", "wake one", WakeOne);

}  // namespace

}  // namespace holdfast::test::sweeping
