// A waiter that has enrolled tries once more. It watches the holder by then, and does not ask
// whether the holder lives: the news of its death ends the wait.
#include "enrolled_user.h"

namespace holdfast::test {

namespace {

using core::Lock;
using core::Outcome;
using core::RLock;

template <class P>
struct Waiter : EnrolledUser<P> {
  void must_take_over() {
    const Outcome outcome = this->primitive.try_acquire_enrolled();
    CHECK(bool(outcome) && outcome.abandoned);
    this->let_go();
    this->leave();
  }
};

// Holds it until it is killed.
template <class P>
Child holder_of(Shared<std::atomic<bool>>& holds) {
  Child holder([&] {
    EnrolledUser<P> user;
    CHECK(bool(user->try_acquire_or_rescue()));
    holds->store(true);
    for (;;) sleep_ms(1000);
  });
  EVENTUALLY(holds->load());
  return holder;
}

template <class P>
void the_news_of_a_death_ends_a_wait() {
  Shared<std::atomic<bool>> holds;
  Child holder = holder_of<P>(holds);
  Waiter<P> waiter;
  waiter.enrol();
  CHECK(!waiter->try_acquire_enrolled());
  holder.kill();
  // The kernel has marked the mutex of an RLock.
  if constexpr (std::is_same_v<P, Lock>) CHECK(!waiter->try_acquire_enrolled());
  waiter.agent().wait(INT64_MAX);
  // Somebody else in this thread, a blocking wait say, has taken the news. The event loop is told.
  CHECK(waiter.agent().take_wakes() == std::vector<uint64_t>{0});
  waiter.must_take_over();
}

template <class P>
void who_would_not_hear_asks() {
  Shared<std::atomic<bool>> holds;
  Child holder = holder_of<P>(holds);
  Deaf deaf;
  Waiter<P> waiter;
  waiter.agent().set_watcher(&deaf);
  waiter.enrol();
  CHECK(!waiter->try_acquire_enrolled());
  holder.kill();
  waiter.must_take_over();
  waiter.agent().set_watcher(nullptr);
}

// Whoever died before the watch began is found by the try.
template <class P>
void who_comes_late_asks() {
  Shared<std::atomic<bool>> holds;
  Child holder = holder_of<P>(holds);
  Waiter<P> waiter;
  holder.kill();
  waiter.enrol();
  waiter.must_take_over();
}

// An agent has 64 places for watches. Two holders of one place drive each other's watch out. If
// that rang for the event loop, its waits would do it again, and again.
template <class P>
void a_watch_that_is_driven_out_is_no_news() {
  Shared<std::atomic<bool>> holds;
  Child holder = holder_of<P>(holds);
  Waiter<P> waiter;
  waiter.enrol();
  CHECK(!waiter->try_acquire_enrolled());
  const core::AgentId owner = waiter->owner();
  std::vector<std::unique_ptr<Party>> others;
  const auto is_of_one_place = [&](core::AgentId id) {
    return id % platform::kWatchesMax == owner % platform::kWatchesMax;
  };
  do {
    others.push_back(std::make_unique<Party>(waiter.party.shared_store()));
  } while (!is_of_one_place(others.back()->agent().id()));
  waiter.agent().watch(others.back()->agent().id());
  CHECK(waiter.agent().take_wakes().empty());
  // But the news of a death that is lost with a watch is passed on.
  waiter.enrol();
  CHECK(!waiter->try_acquire_enrolled());
  holder.kill();
  waiter.agent().watch(others.back()->agent().id());
  CHECK(waiter.agent().take_wakes() == std::vector<uint64_t>{0});
  waiter.must_take_over();
}

template <class P>
void try_enrolled() {
  the_news_of_a_death_ends_a_wait<P>();
  who_would_not_hear_asks<P>();
  who_comes_late_asks<P>();
  a_watch_that_is_driven_out_is_no_news<P>();
}

}  // namespace

TEST(a_waiter_of_a_lock_hears_of_its_holders_death) { try_enrolled<Lock>(); }
TEST(a_waiter_of_an_rlock_hears_of_its_holders_death) { try_enrolled<RLock>(); }

}  // namespace holdfast::test
