#include <unistd.h>

#include <thread>

#include "owned_deaths.h"

namespace holdfast::test {

using core::RLock;

TEST(counts_exactly) { counts_exactly<RLock>(4, scaled(4000)); }

TEST(hands_over_to_a_blocked_waiter) { hands_over<RLock>(Style::blocking, "wait()"); }
TEST(hands_over_to_a_waiter_at_its_doorbell) { hands_over<RLock>(Style::at_doorbell, "bell"); }

TEST(owner_rows) { owner_rows<RLock>(); }
TEST(dead_owner_row) { dead_owner_row<RLock>(); }

TEST(recursion) {
  User<RLock> lock("deep");
  User<RLock> other("deep");
  const Outcome first = lock->try_acquire();
  CHECK_EQUAL(first.hold, 1u);
  for (uint32_t depth = 2; depth <= 1000; depth++) {
    const Outcome deeper = depth % 3 == 0   ? lock->try_acquire()
                           : depth % 3 == 1 ? lock->wait(now_ns() + core::kSlice_ns)
                                            : acquire_at_doorbell(lock);
    CHECK_EQUAL(deeper.hold, first.hold);  // one hold, however deep
    CHECK(!deeper.abandoned);
    CHECK_EQUAL(lock->depth(), depth);
  }
  CHECK_EQUAL(other->depth(), 0u);  // of the asker
  for (uint32_t depth = 1000; depth > 0; depth--) {
    CHECK_EQUAL(lock->depth(), depth);
    CHECK(!other->try_acquire());
    CHECK_EQUAL(other->release(), Code::not_owner);
    CHECK_EQUAL(depth % 2 == 0 ? lock->release() : lock->release_hold(first.hold), Code::ok);
  }
  CHECK_EQUAL(lock->depth(), 0u);
  CHECK_EQUAL(lock->release(), Code::not_owner);
  CHECK_EQUAL(lock->body().acquisitions.load(), 1u);
  CHECK(bool(other->try_acquire()));
  CHECK_EQUAL(other->release(), Code::ok);
}

// An heir starts at depth 1, however deep the dead one was.
TEST(recursion_dies_with_its_holder) {
  Shared<std::atomic<bool>> held;
  Child holder([&] {
    User<RLock> lock("deep");
    for (int i = 0; i < 5; i++) CHECK(bool(acquire(lock)));
    *held = true;
    for (;;) pause();
  });
  EVENTUALLY(held->load());
  holder.kill();
  User<RLock> lock("deep");
  CHECK(acquire(lock).abandoned);
  CHECK_EQUAL(lock->depth(), 1u);
  CHECK_EQUAL(lock->release(), Code::ok);
  CHECK_EQUAL(lock->release(), Code::not_owner);
}

TEST(depth_stops_at_its_largest_value) {
  User<RLock> lock("deep");
  CHECK(bool(lock->try_acquire()));
  lock->body().depth.store(UINT32_MAX);
  CHECK(!lock->try_acquire());
  CHECK_EQUAL(lock->depth(), UINT32_MAX);
  lock->body().depth.store(1);
  CHECK_EQUAL(lock->release(), Code::ok);
}

TEST(nobody_else_may_release) {
  Holder<RLock> holder("held");
  in_child([&] {
    User<RLock> other("held");
    CHECK_EQUAL(other->release(), Code::not_owner);
    CHECK_EQUAL(other->release_hold(1), Code::not_owner);
    CHECK(!other->try_acquire_or_rescue());
  });
  *holder.let_go = true;
  holder.child.join();
}

TEST(killed_holders) { killed_holders<RLock>(100); }
TEST(killed_anywhere) { killed_anywhere<RLock>(scaled(500)); }
TEST(stopped_holder) { stopped_holder<RLock>(); }
TEST(ended_agents) { ended_agents<RLock>(scaled(40)); }

// Where the kernel tells of a death, a waiter asks for a wait this long. What it has long before
// the end of it, it has from the kernel, on a busy machine, too.
constexpr int64_t kLongWait_ms = 5'000;

// From the kill of a holder with that much memory to the waiter that has the lock.
static double median_recovery_ms(uint32_t rounds, size_t megabytes) {
  struct Times {
    std::atomic<uint32_t> held{0};
    std::atomic<uint32_t> waiting{0};
    std::atomic<uint32_t> got{0};
    std::atomic<int64_t> killed_ns{0};
    std::atomic<uint32_t> returned_early{0};
    double ms[60];
  };
  Shared<Times> times;
  Child waiter([&] {
    User<RLock> lock("mortal");
    for (uint32_t round = 1; round <= rounds; round++) {
      EVENTUALLY(times->held == round);
      times->waiting = round;
      Outcome outcome;
      const int64_t slice_ns = platform::kernel_marks_mutexes()
                                   ? kLongWait_ms * platform::kNanosPerMilli
                                   : core::kSlice_ns;
      const int64_t started = now_ns();
      while (!(outcome = lock->wait(now_ns() + slice_ns))) {
        CHECK(ms_since(started) < kPatience_ms);
        times->returned_early.fetch_add(1);
      }
      times->ms[round - 1] = ms_since(times->killed_ns);
      CHECK(outcome.abandoned);
      CHECK_EQUAL(lock->release(), Code::ok);
      times->got = round;
    }
  });
  for (uint32_t round = 1; round <= rounds; round++) {
    Child holder([&] {
      const std::vector<char> ballast(megabytes << 20, 'x');
      User<RLock> lock("mortal");
      CHECK(bool(acquire(lock)));
      times->held = round;
      for (;;) pause();
    });
    EVENTUALLY(times->waiting == round);
    sleep_ms(2);
    times->killed_ns = now_ns();
    holder.kill();
    EVENTUALLY(times->got == round);
  }
  waiter.join();
  // The waiter may have left while the last holder's descriptors were still being closed.
  sweep();
  const double p50 = median(std::vector<double>(times->ms, times->ms + rounds));
  note("p50 %.2f ms with %zu MB, wait() came back early %.0f times a kill", p50, megabytes,
       static_cast<double>(times->returned_early) / rounds);
  return p50;
}

// Section 9: a blocked waiter has it at once, not at its next slice; on Linux, where the kernel
// says so.
TEST(a_blocked_waiter_wakes_when_the_holder_is_killed) {
  const double p50 = median_recovery_ms(scaled(60), 0);
  if (platform::kernel_marks_mutexes()) CHECK(p50 < kLongWait_ms / 4.0);
}

// The kernel wakes the waiter first, then frees the memory of the dead, and closes its doorbell
// last.
TEST(the_death_of_a_large_process) { median_recovery_ms(scaled(8), 100); }

// ---------------------------------------------------------------- the mutex underneath

// The agent of a worker has ended and its mutex was taken over; then comes its abandon(). The agent
// that took it over must keep it.
TEST(unlocking_what_was_taken_over_does_nothing) {
  Shared<platform::traits::MutexStorage> mutex;
  platform::init_mutex(&*mutex);
  const auto nobody_lives = [](uint64_t, void*) { return false; };
  const auto all_live = [](uint64_t, void*) { return true; };
  const platform::MutexParty ended{1, all_live, nullptr};
  const platform::MutexParty heir{2, nobody_lives, nullptr};
  const platform::MutexParty other{3, all_live, nullptr};
  std::thread worker([&] {
    CHECK(platform::try_lock_mutex(&*mutex, ended) == platform::MutexResult::locked);
    if (platform::kernel_marks_mutexes()) return;  // the thread is what the kernel looks at
  });
  worker.join();
  CHECK(platform::try_lock_mutex(&*mutex, heir) == platform::MutexResult::owner_died);
  std::thread([&] { platform::unlock_mutex(&*mutex, ended); }).join();
  std::thread([&] {
    CHECK(platform::try_lock_mutex(&*mutex, other) == platform::MutexResult::busy);
  }).join();
  platform::unlock_mutex(&*mutex, heir);
  CHECK(platform::try_lock_mutex(&*mutex, other) == platform::MutexResult::locked);
  platform::unlock_mutex(&*mutex, other);
}

// A process is stopped between the two steps of an acquisition: it has the mutex and not the word.
// After two slices the others do without the mutex, and when it goes on it finds the word taken.
TEST(the_mutex_without_the_word_is_no_hold) {
  Shared<std::atomic<int>> step;
  Child stuck([&] {
    User<RLock> lock("half taken");
    const platform::MutexParty me = lock.party.agent().party();
    platform::traits::MutexStorage* const mutex = &lock->body().mutex;
    CHECK(platform::try_lock_mutex(mutex, me) == platform::MutexResult::locked);
    *step = 1;
    EVENTUALLY(*step == 3);
    CHECK(lock->owner() != 0 && !lock->is_held_by_caller());
    platform::unlock_mutex(mutex, me);
    *step = 4;
    CHECK(bool(acquire(lock)));
    CHECK_EQUAL(lock->release(), Code::ok);
  });
  Child waiter([&] {
    User<RLock> lock("half taken");
    EVENTUALLY(*step == 2);
    CHECK(!acquire(lock, 3 * kSlice_ms));
    *step = 3;
    const Outcome outcome = acquire(lock);
    CHECK(bool(outcome) && !outcome.abandoned);
    CHECK_EQUAL(lock->release(), Code::ok);
  });
  in_child([&] {
    User<RLock> lock("half taken");
    EVENTUALLY(*step == 1);
    const int64_t started = now_ns();
    const Outcome outcome = acquire(lock);
    CHECK(bool(outcome) && !outcome.abandoned);
    // Where an RLock uses a mutex at all.
    if (platform::kernel_marks_mutexes()) CHECK(ms_since(started) >= 2 * kSlice_ms);
    CHECK(bool(lock->try_acquire_or_rescue()));  // and is recursive
    CHECK_EQUAL(lock->depth(), 2u);
    CHECK_EQUAL(lock->release(), Code::ok);
    *step = 2;
    EVENTUALLY(*step == 4);
    CHECK(lock->is_held_by_caller());
    // INV-11: an agent that gets the mutex now finds the word taken, and must not keep it.
    sleep_ms(2 * kSlice_ms);
    const platform::MutexParty me = lock.party.agent().party();
    platform::traits::MutexStorage* const mutex = &lock->body().mutex;
    EVENTUALLY(platform::try_lock_mutex(mutex, me) == platform::MutexResult::locked);
    platform::unlock_mutex(mutex, me);
    CHECK_EQUAL(lock->release(), Code::ok);
  });
  stuck.join();
  waiter.join();
}

// Death between two steps is not death while holding: nothing of the user's is half done.
TEST(death_between_two_steps_is_not_abandonment) {
  for (const bool releasing : {false, true}) {
    Shared<std::atomic<bool>> there;
    Child mortal([&] {
      User<RLock> lock(request_for(Kind::rlock, "half taken"));
      if (releasing) {
        CHECK(bool(acquire(lock)));
        lock->body().owner.store(0);
      } else {
        CHECK(platform::try_lock_mutex(&lock->body().mutex, lock.party.agent().party()) ==
              platform::MutexResult::locked);
      }
      *there = true;
      for (;;) pause();
    });
    EVENTUALLY(there->load());
    Shared<std::atomic<bool>> open;
    Child heir([&] {
      User<RLock> lock("half taken");
      *open = true;
      const Outcome outcome = acquire(lock);
      CHECK(bool(outcome) && !outcome.abandoned);
      CHECK_EQUAL(lock->release(), Code::ok);
      CHECK_EQUAL(lock->body().abandonments.load(), 0u);
    });
    EVENTUALLY(open->load());
    mortal.kill();
    heir.join();
    sweep();
  }
}

// On a directory that outlives the machine's restart: the file says "locked by thread n", and no
// kernel has marked it. Nobody can have it open, so the first to open it may take it.
TEST(a_file_that_outlived_a_restart_is_not_locked_for_ever) {
  std::string snapshot;
  {
    Shared<std::atomic<bool>> held;
    auto request = request_for(Kind::rlock, "on a disk");
    request.persistent = true;
    Child holder([&] {
      User<RLock> lock(request);
      CHECK(bool(acquire(lock)));
      *held = true;
      for (;;) pause();
    });
    EVENTUALLY(held->load());
    snapshot = read_file(file_of("on a disk"));  // what the disk has when the power goes
    holder.kill();
  }
  write_file(file_of("on a disk"), snapshot);
  User<RLock> lock("on a disk");
  const Outcome outcome = acquire(lock, 5 * kSlice_ms);
  if (outcome) {
    CHECK(outcome.abandoned);
    CHECK_EQUAL(lock->release(), Code::ok);
  }
  CHECK(lock.party.store().unlink(&lock.object).ok());
  CHECK(bool(outcome));
}

}  // namespace holdfast::test
