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

  // Checks what must hold on entry after any death in here, and does some work.
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

// Dead: the agent that swaps it for its own id holds it and is told; the next one is not told.
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
