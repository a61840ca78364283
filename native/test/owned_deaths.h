// What Lock and RLock share where holders die, as templates.
#ifndef HOLDFAST_TEST_OWNED_DEATHS_H
#define HOLDFAST_TEST_OWNED_DEATHS_H

#include "owned_suite.h"

namespace holdfast::test {

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

// Kills a random child, wherever it is: in acquire, in the critical section, in release, asleep.
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

}  // namespace holdfast::test

#endif
