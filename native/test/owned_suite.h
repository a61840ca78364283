// The contract that Lock and RLock share, as templates: lock_test.cc and rlock_test.cc run it for
// each.
#ifndef HOLDFAST_TEST_OWNED_SUITE_H
#define HOLDFAST_TEST_OWNED_SUITE_H

#include <algorithm>
#include <string>
#include <vector>

#include "support.h"

namespace holdfast::test {

// How a process of these tests waits: in the kernel where there is such a wait, or at its doorbell.
enum class Style : uint32_t { blocking, blocking_often, at_doorbell };

template <class Primitive>
Outcome acquire_in_style(User<Primitive>& user, Style style, int64_t timeout_ms = kPatience_ms,
                         int64_t slice_ns = core::kSlice_ns) {
  switch (style) {
    case Style::blocking:
      return acquire(user, timeout_ms, slice_ns);
    case Style::blocking_often:
      return acquire(user, timeout_ms, platform::kNanosPerMilli);
    case Style::at_doorbell:
      return acquire_at_doorbell(user, timeout_ms, slice_ns);
  }
  return {};
}

// What the object protects: two plain words that a lost exclusion pulls apart.
struct Protected {
  volatile uint64_t first = 0;
  volatile uint64_t second = 0;
  std::atomic<uint32_t> inside{0};  // who is in the critical section
  std::atomic<uint64_t> entries{0};
  std::atomic<uint64_t> abandoned{0};

  // Checks what must hold on entry, whoever died in here before, and does some work.
  void visit(uint32_t me, bool after_death, uint64_t work_us) {
    const uint32_t before = inside.exchange(me);
    if (after_death) {
      abandoned.fetch_add(1);
      second = first;
    } else {
      CHECK_EQUAL(before, 0u);
      CHECK_EQUAL(uint64_t{first}, uint64_t{second});
    }
    first = first + 1;
    if (work_us < 50) {
      spin_us(work_us);
    } else {
      platform::sleep_ns(static_cast<int64_t>(work_us) * 1000);
    }
    second = second + 1;
    entries.fetch_add(1);
    uint32_t expected = me;
    CHECK(inside.compare_exchange_strong(expected, 0));
  }
};

// A child that holds the object until it is killed or told to let go.
template <class Primitive>
struct Holder {
  Shared<std::atomic<AgentId>> holding;
  Shared<std::atomic<bool>> let_go;
  Child child;

  explicit Holder(const std::string& name)
      : child([this, name] {
          User<Primitive> user(name);
          const Outcome outcome = acquire(user);
          CHECK(bool(outcome));
          *holding = user.id();
          EVENTUALLY(let_go->load());
          CHECK_EQUAL(user->release(), Code::ok);
          *holding = 0;
        }) {
    EVENTUALLY(holding->load() != 0);
  }
};

// ---------------------------------------------------------------- exclusion and hand-over

template <class Primitive>
void counts_exactly(uint32_t processes, uint32_t rounds, uint32_t surplus_tokens = 0) {
  struct Progress {
    std::atomic<uint32_t> ready{0}, done{0}, checked{0};
    std::atomic<uint32_t> contended{0};
  };
  Shared<Protected> data;
  Shared<Progress> progress;
  std::vector<Child> children;
  for (uint32_t number = 1; number <= processes; number++) {
    children.emplace_back([&, number] {
      const Style style = number % 2 == 0 ? Style::at_doorbell : Style::blocking;
      Random chance(number);
      User<Primitive> user("counter");
      progress->ready.fetch_add(1);
      EVENTUALLY(progress->ready >= processes);
      for (uint32_t round = 0; round < rounds; round++) {
        Outcome outcome = user->try_acquire_or_rescue();
        if (!outcome) {
          progress->contended.fetch_add(1);
          outcome = acquire_in_style(user, style);
        }
        CHECK(bool(outcome) && !outcome.abandoned);
        if constexpr (kind_of<Primitive>() == Kind::lock) {
          for (uint32_t i = 0; i < surplus_tokens && round % 100 == 0; i++) {
            platform::post(user.object.semaphore());
          }
        }
        // Now and then it goes to sleep inside, so that the others do pile up on two processors.
        data->visit(number, false, chance.one_in(32) ? 60 : chance.below(4));
        CHECK_EQUAL(user->release_hold(outcome.hold), Code::ok);
        spin_us(chance.below(2));
      }
      // Everybody has the object open to the end, so that its counts are there to be read.
      progress->done.fetch_add(1);
      EVENTUALLY(progress->done >= processes);
      CHECK_EQUAL(user->body().acquisitions.load(), uint64_t{processes} * rounds);
      CHECK_EQUAL(user->owner(), 0u);
      CHECK_EQUAL(core::count_waiting(user->waiters(), user.party.registry()), 0u);
      progress->checked.fetch_add(1);
      EVENTUALLY(progress->checked >= processes);
    });
  }
  EVENTUALLY(progress->ready >= processes);
  const int64_t started = now_ns();
  EVENTUALLY(progress->done >= processes);
  note("%.1f us a turn, %u of %u contended", ms_since(started) * 1000 / (processes * rounds),
       progress->contended.load(), processes * rounds);
  for (Child& child : children) child.join();
  CHECK_EQUAL(data->entries.load(), uint64_t{processes} * rounds);
}

// From a release to the waiter that gets it, which was asleep. Notes the median; asserts only that
// it always arrives.
template <class Primitive>
void hands_over(Style style, const char* name) {
  const uint32_t rounds = scaled(200);
  struct Turns {
    std::atomic<uint32_t> held{0};     // the turn in which the one holds
    std::atomic<uint32_t> waiting{0};  // the turn in which the other waits
    std::atomic<uint32_t> passed{0};   // the turn in which the other had it
    std::atomic<int64_t> released_ns{0};
    double us[200];
  };
  Shared<Turns> turns;
  Child waiter([&] {
    User<Primitive> user("passed on");
    for (uint32_t turn = 1; turn <= rounds; turn++) {
      EVENTUALLY(turns->held == turn);
      turns->waiting = turn;
      // Without slices: a release that wakes nobody is not made good by anything.
      const Outcome outcome = acquire_in_style(user, style, kPatience_ms, kNoSlices_ns);
      turns->us[turn - 1] = static_cast<double>(now_ns() - turns->released_ns) / 1000;
      CHECK(bool(outcome) && !outcome.abandoned);
      CHECK_EQUAL(user->release(), Code::ok);
      turns->passed = turn;
    }
  });
  in_child([&] {
    User<Primitive> user("passed on");
    for (uint32_t turn = 1; turn <= rounds; turn++) {
      CHECK(bool(acquire(user)));
      turns->held = turn;
      EVENTUALLY(turns->waiting == turn);
      platform::sleep_ns(300'000);
      turns->released_ns = now_ns();
      CHECK_EQUAL(user->release(), Code::ok);
      EVENTUALLY(turns->passed == turn);
    }
  });
  waiter.join();
  note("%s p50 %.0f us", name, median(std::vector<double>(turns->us, turns->us + rounds)));
}

// ---------------------------------------------------------------- the owner word

template <class Primitive>
void owner_rows() {
  const Kind kind = kind_of<Primitive>();
  // 0: free.
  User<Primitive> mine("owned");
  User<Primitive> theirs("owned");
  CHECK_EQUAL(mine->owner(), 0u);
  CHECK_EQUAL(mine->depth(), 0u);
  CHECK(!mine->is_held_by_caller());

  // Live: held, by everybody's account.
  const Outcome first = mine->try_acquire();
  CHECK(bool(first) && !first.abandoned);
  CHECK_EQUAL(first.hold, 1u);
  CHECK_EQUAL(theirs->owner(), mine.id());
  CHECK(mine->is_held_by_caller() && !theirs->is_held_by_caller());
  CHECK_EQUAL(mine->depth(), 1u);
  CHECK(!theirs->try_acquire());
  CHECK(!theirs->try_acquire_or_rescue());
  CHECK(!acquire(theirs, 3 * kSlice_ms));
  CHECK(!acquire_at_doorbell(theirs, 3 * kSlice_ms));
  CHECK(theirs->release_hold(first.hold) != Code::ok);
  CHECK_EQUAL(mine->owner(), mine.id());

  // 0 again.
  CHECK_EQUAL(mine->release_hold(first.hold), Code::ok);
  CHECK_EQUAL(mine->owner(), 0u);
  const Code refused = kind == Kind::lock ? Code::not_locked : Code::not_owner;
  CHECK_EQUAL(mine->release(), refused);
  CHECK_EQUAL(mine->release_hold(first.hold), refused);

  // The holds of an agent are numbered; an old number does not end a new hold.
  const Outcome second = theirs->try_acquire_or_rescue();
  CHECK(theirs->release_hold(second.hold + 1) != Code::ok);
  CHECK_EQUAL(theirs->release_hold(second.hold), Code::ok);
  const Outcome third = theirs->try_acquire_or_rescue();
  CHECK(third.hold != second.hold);
  CHECK(theirs->release_hold(second.hold) != Code::ok);
  CHECK_EQUAL(theirs->owner(), theirs.id());
  CHECK_EQUAL(theirs->release(), Code::ok);
  CHECK_EQUAL(mine->body().acquisitions.load(), 3u);
  CHECK_EQUAL(mine->body().abandonments.load(), 0u);
}

// Dead: whoever swaps it for its own id holds it and is told; the next one is not.
template <class Primitive>
void dead_owner_row() {
  Holder<Primitive> holder("owned");
  Shared<std::atomic<int>> step;
  Child heir([&] {
    User<Primitive> user("owned");
    *step = 1;
    EVENTUALLY(*step == 2);
    CHECK_EQUAL(user->owner(), holder.holding->load());
    const Outcome outcome = user->try_acquire_or_rescue();
    CHECK(bool(outcome) && outcome.abandoned);
    CHECK_EQUAL(user->owner(), user.id());
    CHECK_EQUAL(user->body().abandonments.load(), 1u);
    CHECK_EQUAL(user->release_hold(outcome.hold), Code::ok);
    const Outcome next = acquire(user);
    CHECK(bool(next) && !next.abandoned);
    CHECK_EQUAL(user->release(), Code::ok);
  });
  EVENTUALLY(*step == 1);
  holder.child.kill();
  *step = 2;
  heir.join();
  sweep();
}

// ---------------------------------------------------------------- death

// Two others wait in half of the rounds and come later in the other half; in each round one of the
// two, and no more, is told.
template <class Primitive>
void killed_holders(uint32_t rounds) {
  struct Rounds {
    std::atomic<uint32_t> waiting{0};   // the round in which the heirs may start to wait
    std::atomic<uint32_t> finished[2];  // the round that each heir has ended
    std::atomic<uint32_t> told{0};
    std::atomic<uint32_t> held{0};
  };
  Shared<Rounds> shared;
  std::vector<Child> heirs;
  for (uint32_t heir = 0; heir < 2; heir++) {
    heirs.emplace_back([&, heir] {
      User<Primitive> user("mortal");
      for (uint32_t round = 1; round <= rounds; round++) {
        shared->finished[heir] = round - 1;
        EVENTUALLY(shared->waiting >= round);
        const Outcome outcome =
            acquire_in_style(user, heir == 0 ? Style::blocking : Style::at_doorbell);
        CHECK(bool(outcome));
        if (outcome.abandoned) shared->told.fetch_add(1);
        CHECK_EQUAL(user->release_hold(outcome.hold), Code::ok);
      }
      shared->finished[heir] = rounds;
      EVENTUALLY(shared->finished[0] == rounds && shared->finished[1] == rounds);
      CHECK_EQUAL(user->body().abandonments.load(), rounds);
      CHECK_EQUAL(user->body().acquisitions.load(), uint64_t{3} * rounds);
      CHECK_EQUAL(user->owner(), 0u);
    });
  }
  for (uint32_t round = 1; round <= rounds; round++) {
    EVENTUALLY(shared->finished[0] == round - 1 && shared->finished[1] == round - 1);
    Child holder([&] {
      User<Primitive> user("mortal");
      CHECK(bool(acquire(user)));
      shared->held = round;
      for (;;) sleep_ms(1000);
    });
    EVENTUALLY(shared->held == round);
    const bool wait_before = round % 2 == 0;
    if (wait_before) {
      shared->waiting = round;
      sleep_ms(2);
    }
    holder.kill();
    shared->waiting = round;
    EVENTUALLY(shared->finished[0] >= round && shared->finished[1] >= round);
    CHECK_EQUAL(shared->told.load(), round);
  }
  for (Child& heir : heirs) heir.join();
  sweep();
}

// Kills whoever it likes, wherever it is: in acquire, in the critical section, in release, asleep.
template <class Primitive>
void killed_anywhere(uint32_t kills) {
  constexpr uint32_t kWorkers = 4;
  Random random;
  Shared<Protected> data;
  Shared<std::atomic<uint32_t>> ready;
  uint32_t next_number = 1;
  const auto work = [&](uint32_t number) {
    Random chance(number);
    User<Primitive> user("battlefield");
    ready->fetch_add(1);
    // The first is the one that looks only once in a slice, as the addon does.
    const Style style = number % kWorkers == 0   ? Style::blocking
                        : number % kWorkers == 1 ? Style::at_doorbell
                                                 : Style::blocking_often;
    for (;;) {
      const Outcome outcome = acquire_in_style(user, style);
      CHECK(bool(outcome));
      data->visit(number, outcome.abandoned, chance.below(20));
      CHECK_EQUAL(user->release_hold(outcome.hold), Code::ok);
      spin_us(chance.below(10));
    }
  };
  std::vector<Child> workers;
  for (uint32_t i = 0; i < kWorkers; i++) {
    workers.emplace_back([&, number = next_number++] { work(number); });
  }
  EVENTUALLY(*ready == kWorkers);

  std::vector<double> recovery_ms;
  for (uint32_t i = 0; i < kills; i++) {
    const uint64_t before = data->entries;
    spin_us(random.below(1500));
    Child& victim = workers[random.below(kWorkers)];
    victim.kill();
    const int64_t killed = now_ns();
    const uint64_t at_death = data->entries;
    EVENTUALLY(data->entries > at_death + 1);
    recovery_ms.push_back(ms_since(killed));
    const uint32_t ready_before = *ready;
    victim = Child([&, number = next_number++] { work(number); });
    // Once in ten it may be killed before it has begun; else wait until it is at work.
    if (!random.one_in(10)) EVENTUALLY(*ready > ready_before);
    CHECK(before <= data->entries);
  }
  for (Child& worker : workers) worker.kill();
  const uint64_t told = data->abandoned;
  CHECK(told <= kills);
  note("%u kills, %llu inside, %llu turns, progress after p50 %.1f ms, at most %.0f ms", kills,
       static_cast<unsigned long long>(told), static_cast<unsigned long long>(data->entries.load()),
       median(recovery_ms), *std::max_element(recovery_ms.begin(), recovery_ms.end()));
  // The last ones died as well; the next user takes it over, and takes the file away.
  User<Primitive> user("battlefield");
  CHECK(bool(acquire(user)));
  CHECK_EQUAL(user->release(), Code::ok);
}

// Stopped is not dead: nobody steals, however long it takes.
template <class Primitive>
void stopped_holder() {
  Holder<Primitive> holder("held");
  holder.child.stop();
  Shared<std::atomic<int>> step;
  std::vector<Child> waiters;
  for (int number = 0; number < 2; number++) {
    waiters.emplace_back([&, number] {
      User<Primitive> user("held");
      const Style style = number == 0 ? Style::blocking : Style::at_doorbell;
      const int64_t started = now_ns();
      CHECK(!acquire_in_style(user, style, 6 * kSlice_ms));
      CHECK(ms_since(started) >= 6 * kSlice_ms);
      CHECK_EQUAL(user->owner(), holder.holding->load());
      step->fetch_add(1);
      const Outcome outcome = acquire_in_style(user, style);
      CHECK(bool(outcome) && !outcome.abandoned);
      CHECK_EQUAL(user->release(), Code::ok);
    });
  }
  EVENTUALLY(*step == 2);
  *holder.let_go = true;
  sleep_ms(2 * kSlice_ms);
  CHECK(holder.holding->load() != 0);  // it stands still
  holder.child.resume();
  for (Child& waiter : waiters) waiter.join();
  holder.child.join();
}

// A worker thread of Node that ends while it holds: agent.end(), then abandon(), same thread, and
// the process goes on.
template <class Primitive>
void ended_agents(uint32_t rounds) {
  struct Steps {
    std::atomic<uint32_t> held{0};
    std::atomic<uint32_t> waiting{0};
    std::atomic<uint32_t> told{0};
    std::atomic<int64_t> ended_ns{0};
    double us[100];
  };
  Shared<Steps> steps;
  Child workers([&] {
    Party main;  // keeps the process in the directory while its workers come and go
    for (uint32_t round = 1; round <= rounds; round++) {
      User<Primitive> worker(main.shared_store(), "left");
      CHECK(bool(acquire(worker)));
      steps->held = round;
      EVENTUALLY(steps->waiting == round);
      sleep_ms(2);
      steps->ended_ns = now_ns();
      worker.party.agent().end();
      CHECK(!main.registry().alive(worker.id()));
      worker->abandon();
      EVENTUALLY(steps->told == round);
    }
  });
  in_child([&] {
    User<Primitive> heir("left");
    for (uint32_t round = 1; round <= rounds; round++) {
      EVENTUALLY(steps->held == round);
      steps->waiting = round;
      const Outcome outcome =
          acquire_in_style(heir, round % 2 == 0 ? Style::blocking : Style::at_doorbell);
      steps->us[round - 1] = static_cast<double>(now_ns() - steps->ended_ns) / 1000;
      CHECK(bool(outcome) && outcome.abandoned);
      CHECK_EQUAL(heir->release_hold(outcome.hold), Code::ok);
      const Outcome next = acquire(heir);
      CHECK(bool(next) && !next.abandoned);
      CHECK_EQUAL(heir->release(), Code::ok);
      steps->told = round;
    }
  });
  workers.join();
  note("heir after p50 %.0f us", median(std::vector<double>(steps->us, steps->us + rounds)));
}

// ---------------------------------------------------------------- two pid namespaces

template <class Primitive>
void excludes_across_namespaces(uint32_t rounds) {
  Shared<Protected> data;
  Shared<std::atomic<uint32_t>> ready, contended;
  in_two_pid_namespaces([&](uint32_t number) {
    User<Primitive> user("shared by two containers");
    ready->fetch_add(1);
    EVENTUALLY(*ready >= 2);
    Random chance(number);
    for (uint32_t round = 0; round < rounds; round++) {
      const Style style = chance.one_in(2) ? Style::at_doorbell : Style::blocking;
      Outcome outcome = user->try_acquire_or_rescue();
      if (!outcome) {
        contended->fetch_add(1);
        outcome = acquire_in_style(user, style);
      }
      CHECK(bool(outcome) && !outcome.abandoned);
      CHECK_EQUAL(user->depth(), 1u);
      if constexpr (kind_of<Primitive>() == Kind::rlock) {
        CHECK(bool(user->try_acquire()));
        CHECK_EQUAL(user->depth(), 2u);
        CHECK_EQUAL(user->release(), Code::ok);
      }
      data->visit(number, false, chance.one_in(32) ? 60 : chance.below(5));
      CHECK_EQUAL(user->release_hold(outcome.hold), Code::ok);
      spin_us(chance.below(5));
    }
    ready->fetch_add(1);
    EVENTUALLY(*ready == 4);
    CHECK_EQUAL(user->owner(), 0u);
  });
  note("%u of %u contended", contended->load(), 2 * rounds);
  CHECK_EQUAL(data->entries.load(), 2u * rounds);
}

}  // namespace holdfast::test

#endif
