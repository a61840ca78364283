// RLock: two pid namespaces, in which threads have the same number.
#include <unistd.h>

#include "host.h"
#include "owned_deaths.h"

namespace holdfast::test {

using core::RLock;

// ---------------------------------------------------------------- equal thread numbers

// The owner that the kernel knows is a thread number, and both have the number 1. A mutex of the
// recursive type would take the other's hold for its own; the error-checking one says EDEADLK.
TEST(excludes_across_pid_namespaces) { excludes_across_namespaces<RLock>(scaled(4000)); }

TEST(a_holder_of_the_same_number_is_somebody_else) {
  struct Steps {
    std::atomic<uint32_t> step{0};
    std::atomic<AgentId> holder{0};
  };
  Shared<Steps> steps;
  in_two_pid_namespaces([&](uint32_t number) {
    User<RLock> lock("shared by two containers");
    if (number == 1) {
      CHECK(bool(acquire(lock)) && bool(acquire(lock)));
      steps->holder = lock.id();
      steps->step = 1;
      EVENTUALLY(steps->step == 2);
      CHECK_EQUAL(lock->depth(), 2u);
      CHECK_EQUAL(lock->release(), Code::ok);
      CHECK_EQUAL(lock->release(), Code::ok);
      EVENTUALLY(steps->step == 3);
    } else {
      EVENTUALLY(steps->step == 1);
      CHECK(!lock->try_acquire());
      CHECK(!acquire(lock, 3 * kSlice_ms));
      CHECK(!acquire_at_doorbell(lock, 3 * kSlice_ms));
      CHECK_EQUAL(lock->owner(), steps->holder.load());
      CHECK_EQUAL(lock->body().depth.load(), 2u);
      CHECK_EQUAL(lock->release(), Code::not_owner);
      CHECK_EQUAL(lock->owner(), steps->holder.load());
      steps->step = 2;
      const Outcome outcome = acquire(lock);
      CHECK(bool(outcome) && !outcome.abandoned);
      CHECK_EQUAL(lock->release(), Code::ok);
      steps->step = 3;
    }
  });
}

// Pid 1 of the one namespace dies while it holds; pid 1 of the other is the heir.
TEST(a_death_is_seen_across_pid_namespaces) {
  const uint32_t rounds = scaled(40);
  Shared<std::atomic<uint32_t>> held, told;
  in_two_pid_namespaces([&](uint32_t number) {
    if (number == 1) {
      // This pid 1 is the parent; the next namespace down has another pid 1 for each round.
      for (uint32_t round = 1; round <= rounds; round++) {
        Child half([&] {
          CHECK_EQUAL(host::enter_new_pid_namespace(), 0);
          Child holder([&] {
            CHECK_EQUAL(getpid(), 1);
            User<RLock> lock("shared by two containers");
            CHECK(bool(acquire(lock)));
            *held = round;
            for (;;) pause();
          });
          EVENTUALLY(*held == round);
          sleep_ms(round % 3);
          holder.kill();
        });
        half.join();
        EVENTUALLY(*told == round);
      }
      return;
    }
    User<RLock> lock("shared by two containers");
    for (uint32_t round = 1; round <= rounds; round++) {
      EVENTUALLY(*held == round);
      const Style style = round % 2 == 0 ? Style::blocking : Style::at_doorbell;
      const Outcome outcome = acquire_in_style(lock, style);
      CHECK(bool(outcome) && outcome.abandoned);
      CHECK_EQUAL(lock->release(), Code::ok);
      *told = round;
    }
  });
  sweep();
}

// Three containers. In the first, thread 1 waits in the kernel for a mutex that somebody else
// holds, and is stopped there. The mutex is released and thread 1 of the second has it now. Then
// the one that was stopped is killed. For as long as it waited, it had announced the mutex to the
// kernel as one that it may be about to own (robust_list_head.list_op_pending), and the kernel
// compares numbers: 1 and 1. It takes the living holder for the dead waiter and marks the mutex as
// abandoned.
enum Stage : uint32_t { kNobody, kStopped, kReleased, kTaken, kKilled, kChecked, kGone };

template <class Take, class Check>
static void kill_a_waiter_of_the_holders_number(Take take, Check check) {
  Shared<std::atomic<uint32_t>> stage;
  in_two_pid_namespaces([&](uint32_t number) {
    if (number == 1) {
      take(*stage);  // from kReleased to kTaken
      return;
    }
    Shared<std::atomic<bool>> first_holds, waiter_waits;
    Child first([&] {
      User<RLock> lock("marked");
      CHECK(bool(acquire(lock)));
      *first_holds = true;
      EVENTUALLY(core::count_waiting(lock->waiters(), lock.party.registry()) == 1);
      sleep_ms(20);
      *waiter_waits = true;
      EVENTUALLY(*stage == kStopped);
      CHECK_EQUAL(lock->release(), Code::ok);
      *stage = kReleased;
      EVENTUALLY(*stage >= kKilled);
    });
    EVENTUALLY(first_holds->load());
    Child third_container([&] {
      CHECK_EQUAL(host::enter_new_pid_namespace(), 0);
      Child waiter([&] {
        CHECK_EQUAL(getpid(), 1);
        User<RLock> lock("marked");
        lock->wait(now_ns() + kPatience_ms * platform::kNanosPerMilli);
        CHECK(!"the waiter was not stopped in time");
      });
      EVENTUALLY(waiter_waits->load());
      waiter.stop();
      *stage = kStopped;
      EVENTUALLY(*stage == kTaken);
      waiter.kill();
    });
    third_container.join();
    *stage = kKilled;
    first.join();
    check(*stage);
  });
  sweep();
}

TEST(a_killed_waiter_does_not_end_the_hold_of_its_number) {
  Shared<std::atomic<AgentId>> holder;
  kill_a_waiter_of_the_holders_number(
      [&](std::atomic<uint32_t>& stage) {
        User<RLock> lock("marked");
        EVENTUALLY(stage == kReleased);
        CHECK(bool(acquire(lock)));
        *holder = lock.id();
        stage = kTaken;
        EVENTUALLY(stage == kChecked);
        CHECK(lock->is_held_by_caller());
        CHECK_EQUAL(lock->release(), Code::ok);
        EVENTUALLY(stage == kGone);
        const Outcome outcome = acquire(lock);
        CHECK(bool(outcome) && !outcome.abandoned);
        CHECK_EQUAL(lock->release(), Code::ok);
      },
      [&](std::atomic<uint32_t>& stage) {
        User<RLock> lock("marked");
        CHECK(!acquire(lock, 3 * kSlice_ms));
        CHECK(!acquire_at_doorbell(lock, 3 * kSlice_ms));
        CHECK_EQUAL(lock->owner(), holder->load());
        stage = kChecked;
        const Outcome outcome = acquire(lock);
        CHECK(bool(outcome) && !outcome.abandoned);
        CHECK_EQUAL(lock->release(), Code::ok);
        stage = kGone;
      });
}

// The holder's list of robust mutexes must come out of that whole: it holds two more objects, and
// dies.
TEST(a_killed_waiter_does_not_break_the_list_of_its_number) {
  kill_a_waiter_of_the_holders_number(
      [&](std::atomic<uint32_t>& stage) {
        User<RLock> before("held before");
        User<RLock> lock("marked");
        User<RLock> later("held later");
        EVENTUALLY(stage == kReleased);
        CHECK(bool(acquire(before)) && bool(acquire(lock)));
        stage = kTaken;
        EVENTUALLY(stage == kChecked);
        CHECK_EQUAL(lock->release(), Code::ok);
        CHECK(bool(acquire(lock)) && bool(acquire(later)));
        stage = kGone;
        _exit(0);
      },
      [&](std::atomic<uint32_t>& stage) {
        User<RLock> before("held before");
        User<RLock> lock("marked");
        User<RLock> later("held later");
        CHECK(!acquire(lock, kSlice_ms));
        stage = kChecked;
        EVENTUALLY(stage == kGone);
        CHECK(acquire(later, 10 * kSlice_ms).abandoned);
        CHECK(acquire(lock, 10 * kSlice_ms).abandoned);
        CHECK(acquire(before, 10 * kSlice_ms).abandoned);
        CHECK_EQUAL(before->release(), Code::ok);
        CHECK_EQUAL(lock->release(), Code::ok);
        CHECK_EQUAL(later->release(), Code::ok);
      });
}

// Nor may the list lead into a file that the holder has closed since.
TEST(a_killed_waiter_leaves_no_dangling_list_to_its_number) {
  kill_a_waiter_of_the_holders_number(
      [&](std::atomic<uint32_t>& stage) {
        User<RLock> before("held before");
        core::Object& object = before.party.open(Kind::rlock, "marked");
        RLock lock(before.party.agent(), object);
        EVENTUALLY(stage == kReleased);
        CHECK(bool(acquire(before)) && bool(lock.try_acquire()));
        stage = kTaken;
        EVENTUALLY(stage == kChecked);
        CHECK_EQUAL(lock.release(), Code::ok);
        before.party.close(object);
        EVENTUALLY(stage == kGone);
        CHECK_EQUAL(before->release(), Code::ok);
        CHECK(bool(acquire(before)));
        CHECK_EQUAL(before->release(), Code::ok);
      },
      [&](std::atomic<uint32_t>& stage) {
        User<RLock> lock("marked");
        CHECK(!acquire(lock, kSlice_ms));
        stage = kChecked;
        const Outcome outcome = acquire(lock);
        CHECK(bool(outcome) && !outcome.abandoned);
        CHECK_EQUAL(lock->release(), Code::ok);
        stage = kGone;
      });
}

}  // namespace holdfast::test
