// Waiters that doze (core/registry/dozing.h, INV-28). No test waits for a slice: whoever is
// forgotten here waits for ever, and the watchdog ends the test.
#include "core/registry/dozing.h"
#include "enrolled_user.h"

namespace holdfast::test {

namespace {

using core::Lock;
using core::RLock;

template <class P>
struct Waiter : EnrolledUser<P> {
  // Twice, because the first time may be the first that it sees this hold.
  bool may_doze(int at) {
    this->primitive.may_doze(at);
    return this->primitive.may_doze(at);
  }
  bool is_dozing_again() {
    this->enrol();
    return may_doze(this->index);
  }
  // Blocks until it hears of something.
  void hear() {
    this->agent().wait(INT64_MAX);
    this->agent().take_wakes();
  }
};

template <class P>
void who_does_not_know_the_owner_must_not_doze() {
  Waiter<P> holder, waiter;
  CHECK(!waiter.is_dozing_again());  // it is free
  CHECK(bool(holder->try_acquire()));
  CHECK(!waiter.may_doze(waiter.index));  // the holder is not watched
  CHECK(waiter.is_dozing_again());
  Waiter<P> other;
  holder.let_go();
  CHECK(bool(other->try_acquire()));
  CHECK(!waiter.may_doze(waiter.index));  // another one is
  CHECK(waiter.is_dozing_again());
  CHECK(other.is_dozing_again());  // its own thread will release it
  CHECK(core::cancel(other.set(), other.id(), other.index));
  other.let_go();
}

template <class P>
void a_release_wakes_all_who_doze() {
  Waiter<P> holder, first, second, third;
  CHECK(bool(holder->try_acquire()));
  for (int round = 0; round < 3; round++) {
    for (Waiter<P>* each : {&first, &second, &third}) CHECK(each->is_dozing_again());
    holder.let_go();
    for (Waiter<P>* each : {&first, &second, &third}) {
      each->hear();
      CHECK(core::cancel(each->set(), each->id(), each->index));  // only a single one is taken out
      each->index = -1;
    }
    CHECK(bool(holder->try_acquire_or_rescue()));
  }
  // Nobody dozes: one is woken.
  first.enrol();
  second.enrol();
  holder.let_go();
  const bool first_woken = !core::cancel(first.set(), first.id(), first.index);
  const bool second_woken = !core::cancel(second.set(), second.id(), second.index);
  CHECK(first_woken != second_woken);
}

// Whoever is rung looks, in vain, and enrols in another entry, while the releaser still rings.
template <class P>
void a_release_rings_at_most_twice() {
  struct Stages {
    std::atomic<uint32_t> held{0};
    std::atomic<uint32_t> dozes{0};
    std::atomic<uint32_t> done{0};
  };
  constexpr uint32_t kRounds = 100;
  Shared<Stages> stages;
  Child dozer([&] {
    Waiter<P> waiter;
    for (uint32_t round = 1; round <= kRounds; round++) {
      EVENTUALLY(stages->held >= round);
      CHECK(waiter.is_dozing_again());
      stages->dozes = round;
      uint32_t heard = 0;
      do {
        waiter.hear();
        heard++;
        waiter.leave();
        if (waiter->try_acquire_or_rescue()) break;
        waiter.enrol();
      } while (!waiter->try_acquire_or_rescue());
      CHECK(heard <= 2);
      waiter.leave();
      waiter.let_go();
      stages->done = round;
    }
  });
  Waiter<P> holder;
  for (uint32_t round = 1; round <= kRounds; round++) {
    CHECK(bool(holder->try_acquire_or_rescue()));
    stages->held = round;
    EVENTUALLY(stages->dozes >= round);
    holder.let_go();
    EVENTUALLY(stages->done >= round);
  }
}

// One is woken, has it and dies; the other one, which watched the first holder, hears of that.
template <class P>
void no_death_is_missed() {
  struct Stages {
    std::atomic<bool> may_begin{false};
    std::atomic<bool> holds{false};
  };
  for (int round = 0; round < 3; round++) {
    Shared<Stages> stages;
    Child next([&] {
      EVENTUALLY(stages->may_begin.load());
      Waiter<P> it;
      EVENTUALLY(bool(it->try_acquire()));
      stages->holds = true;
      EVENTUALLY(!stages->holds);  // it is killed in here
    });
    Waiter<P> holder, waiter;
    CHECK(bool(holder->try_acquire_or_rescue()));
    CHECK(waiter.is_dozing_again());
    stages->may_begin = true;
    holder.let_go();
    EVENTUALLY(stages->holds.load());
    waiter.hear();
    CHECK(waiter.is_dozing_again());
    next.kill();
    waiter.hear();
    const core::Outcome outcome = waiter->try_acquire_or_rescue();
    CHECK(bool(outcome) && outcome.abandoned);
    waiter.let_go();
  }
}

// Otherwise each of many short holds would ring for all who wait.
template <class P>
void who_sees_holds_change_does_not_doze() {
  Waiter<P> holder, waiter;
  CHECK(bool(holder->try_acquire()));
  CHECK(waiter.is_dozing_again());
  for (int round = 0; round < 3; round++) {
    holder.let_go();
    CHECK(bool(holder->try_acquire()));
    waiter.enrol();
    const uint64_t before = waiter.set().dozing.load();
    CHECK(!waiter->may_doze(waiter.index));
    CHECK_EQUAL(waiter.set().dozing.load(), before);
  }
  CHECK(waiter->may_doze(waiter.index));
  holder.let_go();
}

// Some waker died after it had taken the bit of the waiter.
template <class P>
void a_lost_bit_does_no_harm() {
  Waiter<P> holder, waiter;
  CHECK(bool(holder->try_acquire()));
  CHECK(waiter.is_dozing_again());
  for (std::atomic<uint64_t>& word : waiter.set().wake_bits) word.store(0);
  CHECK(!waiter.may_doze(waiter.index));
  holder.let_go();
  waiter.hear();
}

// Or after it had taken the entry, or there was none left.
template <class P>
void who_is_not_enrolled_must_not_doze() {
  Waiter<P> holder, waiter;
  CHECK(bool(holder->try_acquire()));
  CHECK(waiter.is_dozing_again());
  CHECK(core::cancel(waiter.set(), waiter.id(), waiter.index));
  CHECK(!waiter.may_doze(waiter.index));
  CHECK(!waiter.may_doze(-1));
  holder.let_go();
}

// The descriptors of watches are given back where they are short.
template <class P>
void who_loses_its_watch_is_woken() {
  Waiter<P> holder, waiter;
  CHECK(bool(holder->try_acquire()));
  CHECK(waiter.is_dozing_again());
  CHECK(waiter.agent().give_back_descriptors());
  const std::vector<uint64_t> tags = waiter.agent().take_wakes();
  CHECK(tags == std::vector<uint64_t>{0});  // as for a death: all waits look
  CHECK(!waiter.may_doze(waiter.index));
  holder.let_go();
}

template <class P>
void who_would_not_hear_must_not_doze() {
  Deaf deaf;
  Waiter<P> holder, waiter;
  waiter.agent().set_watcher(&deaf);
  CHECK(bool(holder->try_acquire()));
  CHECK(!waiter.is_dozing_again());
  holder.let_go();
  waiter.agent().set_watcher(nullptr);
}

template <class P>
void doze() {
  who_does_not_know_the_owner_must_not_doze<P>();
  a_release_wakes_all_who_doze<P>();
  a_release_rings_at_most_twice<P>();
  no_death_is_missed<P>();
  who_sees_holds_change_does_not_doze<P>();
  a_lost_bit_does_no_harm<P>();
  who_is_not_enrolled_must_not_doze<P>();
  who_loses_its_watch_is_woken<P>();
  who_would_not_hear_must_not_doze<P>();
}

}  // namespace

TEST(waiters_of_a_lock_doze) { doze<Lock>(); }
TEST(waiters_of_an_rlock_doze) { doze<RLock>(); }

}  // namespace holdfast::test
