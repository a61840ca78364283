// Semaphore: permits have no owner, so a permit that a dead process had taken is gone; but none is
// lost or made otherwise, and no waiter is left asleep.
#include <optional>

#include "scene.h"

namespace holdfast::test::sweeping {

namespace {

using core::Semaphore;

struct SemaphoreScene : Scene {
  std::optional<User<Semaphore>> user;
  int taken_meanwhile = 0;

  virtual int before() const { return 3; }
  virtual int after() const = 0;

  Semaphore& object() { return user->primitive; }
  void open() {
    core::OpenRequest request = request_for(Kind::semaphore, "swept");
    request.initial = 3;
    user.emplace(request);
  }
  void get_ready() override {
    open();
    facts->victim = user->id();
  }
  void finish() override { user.reset(); }

  void arrive() override { open(); }
  void leave() override { user.reset(); }
  void set_up() override {
    drain();
    for (int i = 0; i < before(); i++) platform::post(user->object.semaphore());
    object().body().value = before();
    taken_meanwhile = 0;
  }
  void meanwhile() override { taken_meanwhile = object().try_acquire_or_rescue() ? 1 : 0; }

  int drain() {
    int permits = 0;
    while (platform::try_wait(user->object.semaphore())) permits++;
    return permits;
  }

  Progress check() override {
    const int permits = drain() + taken_meanwhile;
    const int lower = std::min(before(), after()), upper = std::max(before(), after());
    CHECK(permits >= lower && permits <= upper);
    if (!facts->died && (after() >= before() || facts->holds)) CHECK_EQUAL(permits, after());
    // Nothing is in the way of those who come after.
    object().body().value = 0;
    CHECK_EQUAL(object().release(2), Code::ok);
    CHECK(bool(acquire(*user)));
    CHECK(bool(acquire(*user)));
    CHECK(!object().try_acquire_or_rescue());
    CHECK_EQUAL(core::count_waiting(object().waiters(), user->party.registry()), 0u);
    return permits == after() ? Progress::done : Progress::not_done;
  }
};

struct TryFree : SemaphoreScene {
  int after() const override { return 2; }
  void operate() override { facts->holds = bool(object().try_acquire()); }
};
OPERATION("Semaphore", "try, free", TryFree);

struct WaitFree : TryFree {
  void operate() override {
    facts->holds = bool(object().wait(now_ns() + 2 * platform::kNanosPerMilli));
  }
};
OPERATION("Semaphore", "wait, free", WaitFree);

struct WaitInVain : SemaphoreScene {
  int before() const override { return 0; }
  int after() const override { return 0; }
  void operate() override {
    facts->holds = bool(object().wait(now_ns() + platform::kNanosPerMilli));
    CHECK(!facts->holds);
  }
  Progress check() override {
    SemaphoreScene::check();
    return Progress::unknown;
  }
};
OPERATION("Semaphore", "wait, timing out", WaitInVain);

struct Release : SemaphoreScene {
  int after() const override { return 4; }
  void operate() override { CHECK_EQUAL(object().release(1), Code::ok); }
};
OPERATION("Semaphore", "release", Release);

struct ReleaseTwo : SemaphoreScene {
  int after() const override { return 5; }
  void operate() override { CHECK_EQUAL(object().release(2), Code::ok); }
};
OPERATION("Semaphore", "release of two", ReleaseTwo);

struct ReleaseToWaiter : SemaphoreScene {
  int index = -1;
  int before() const override { return 0; }
  int after() const override { return 1; }
  void set_up() override {
    SemaphoreScene::set_up();
    core::Agent& agent = user->party.agent();
    agent.take_wakes();
    index = core::enrol(object().waiters(), agent.registry(), agent.id(), 1,
                        core::WaitHow::at_doorbell);
    CHECK(index >= 0);
  }
  void operate() override { CHECK_EQUAL(object().release(1), Code::ok); }
  Progress check() override {
    core::Agent& agent = user->party.agent();
    const bool woken = !core::cancel(object().waiters(), agent.id(), index);
    const size_t wakes = agent.take_wakes().size();
    if (!facts->died) CHECK(woken && wakes == 1);  // INV-4, INV-5
    return SemaphoreScene::check();
  }
};
OPERATION("Semaphore", "release to a waiter", ReleaseToWaiter);

}  // namespace

}  // namespace holdfast::test::sweeping
