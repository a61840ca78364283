#include <optional>

#include "owned_deaths.h"

namespace holdfast::test {

using core::Lock;

TEST(counts_exactly) { counts_exactly<Lock>(4, scaled(4000)); }

// INV-2: a surplus token is a try that fails.
TEST(surplus_tokens_are_harmless) { counts_exactly<Lock>(4, scaled(2000), 25); }

TEST(hands_over_to_a_blocked_waiter) { hands_over<Lock>(Style::blocking, "wait()"); }
TEST(hands_over_to_a_waiter_at_its_doorbell) { hands_over<Lock>(Style::at_doorbell, "bell"); }

TEST(owner_rows) { owner_rows<Lock>(); }
TEST(dead_owner_row) { dead_owner_row<Lock>(); }

TEST(surplus_tokens_are_dropped_by_whoever_draws_them) {
  User<Lock> holder("held");
  User<Lock> other("held");
  CHECK(bool(holder->try_acquire_or_rescue()));
  for (int i = 0; i < 3; i++) platform::post(holder.object.semaphore());
  for (int i = 0; i < 3; i++) CHECK(!other->try_acquire());
  CHECK(!platform::try_wait(other.object.semaphore()));
  for (int i = 0; i < 3; i++) platform::post(holder.object.semaphore());
  CHECK(!acquire(other, 2 * kSlice_ms));
  CHECK(!platform::try_wait(other.object.semaphore()));
  CHECK_EQUAL(holder->release(), Code::ok);
  CHECK(bool(other->try_acquire()));
  CHECK_EQUAL(other->release(), Code::ok);
}

// INV-3: someone takes the token and dies before it swaps the owner word.
TEST(a_lost_token_is_found) {
  User<Lock> lock("lost");
  CHECK(platform::try_wait(lock.object.semaphore()));
  CHECK(!lock->try_acquire());
  const int64_t started = now_ns();
  Outcome outcome;
  EVENTUALLY(bool(outcome = lock->try_acquire_or_rescue()));
  // Not before: a process that was only slow would meet a rescue at every turn.
  CHECK(ms_since(started) >= 2 * kSlice_ms);
  CHECK(!outcome.abandoned);
  note("by looking after %.0f ms", ms_since(started));
  CHECK_EQUAL(lock->release(), Code::ok);

  CHECK(platform::try_wait(lock.object.semaphore()));
  const int64_t again = now_ns();
  CHECK(bool(acquire(lock)));
  note("by waiting after %.0f ms", ms_since(again));
  CHECK_EQUAL(lock->release(), Code::ok);

  CHECK(platform::try_wait(lock.object.semaphore()));
  CHECK(bool(acquire_at_doorbell(lock)));
  CHECK_EQUAL(lock->release(), Code::ok);
}

// A program that opens the lock for each attempt and tries once, beside one that is idle.
TEST(a_lost_token_is_found_by_short_attempts) {
  User<Lock> idle("lost");
  for (int round = 0; round < 3; round++) {
    CHECK(platform::try_wait(idle.object.semaphore()));
    std::optional<User<Lock>> attempt;
    const auto try_shortly = [&] {
      attempt.emplace("lost");
      return bool((*attempt)->try_acquire_or_rescue());
    };
    const int64_t started = now_ns();
    CHECK(!try_shortly());
    EVENTUALLY(try_shortly());
    CHECK(ms_since(started) >= 2 * kSlice_ms);
    CHECK_EQUAL((*attempt)->release(), Code::ok);
    CHECK(try_shortly());
    CHECK_EQUAL((*attempt)->release(), Code::ok);
  }
}

// What was found before an acquisition says nothing about the time after it.
TEST(an_acquisition_ends_the_patience) {
  User<Lock> lock("lost");
  User<Lock> other("lost");
  CHECK(platform::try_wait(lock.object.semaphore()));
  CHECK(!other->try_acquire_or_rescue());
  platform::post(lock.object.semaphore());
  CHECK(bool(lock->try_acquire_or_rescue()));
  platform::sleep_ns(2 * core::kSlice_ns + 2 * platform::kNanosPerMilli);
  CHECK_EQUAL(lock->release(), Code::ok);
  CHECK(platform::try_wait(lock.object.semaphore()));
  CHECK(!other->try_acquire_or_rescue());
  platform::post(lock.object.semaphore());
}

// INV-1 to INV-3 together: a process takes the token, is stopped for long, and goes on after a
// rescue.
TEST(a_token_that_was_given_up_too_early_is_harmless) {
  User<Lock> slow("slow");
  User<Lock> fast("slow");
  CHECK(platform::try_wait(slow.object.semaphore()));
  CHECK(bool(acquire(fast)));  // has posted a token in its stead
  core::AgentId nobody = 0;
  CHECK(!slow->body().owner.compare_exchange_strong(nobody, slow.id()));  // "goes on"
  CHECK_EQUAL(fast->release(), Code::ok);
  for (int i = 0; i < 100; i++) {
    User<Lock>& one = i % 2 == 0 ? slow : fast;
    User<Lock>& other = i % 2 == 0 ? fast : slow;
    CHECK(bool(one->try_acquire_or_rescue()));
    CHECK(!other->try_acquire_or_rescue());
    CHECK_EQUAL(one->release(), Code::ok);
  }
}

TEST(anyone_may_release) {
  Holder<Lock> holder("held");
  in_child([&] {
    User<Lock> other("held");
    CHECK(!other->try_acquire_or_rescue());
    CHECK_EQUAL(other->release(), Code::ok);
    CHECK_EQUAL(other->release(), Code::not_locked);
    const Outcome outcome = other->try_acquire_or_rescue();
    CHECK(bool(outcome) && !outcome.abandoned);
    CHECK_EQUAL(other->release_hold(outcome.hold + 1), Code::not_locked);
    CHECK_EQUAL(other->release(), Code::ok);
  });
  holder.child.kill();
  sweep();
}

// A Guard whose hold another process has ended must not end the next hold, not even one of its own.
TEST(an_ended_hold_cannot_be_released) {
  User<Lock> lock("held");
  User<Lock> other("held");
  const Outcome first = lock->try_acquire_or_rescue();
  CHECK_EQUAL(other->release(), Code::ok);
  CHECK_EQUAL(lock->release_hold(first.hold), Code::not_locked);
  CHECK(bool(other->try_acquire_or_rescue()));
  CHECK_EQUAL(lock->release_hold(first.hold), Code::not_locked);
  CHECK_EQUAL(other->release(), Code::ok);
  const Outcome third = lock->try_acquire_or_rescue();
  CHECK_EQUAL(lock->release_hold(first.hold), Code::not_locked);
  CHECK(lock->is_held_by_caller());
  CHECK_EQUAL(lock->release_hold(third.hold), Code::ok);
}

TEST(killed_holders) { killed_holders<Lock>(100); }
TEST(killed_anywhere) { killed_anywhere<Lock>(scaled(500)); }
TEST(stopped_holder) { stopped_holder<Lock>(); }
TEST(ended_agents) { ended_agents<Lock>(scaled(40)); }
TEST(excludes_across_pid_namespaces) { excludes_across_namespaces<Lock>(scaled(4000)); }

// A program in another language takes part through the semaphore alone.
TEST(a_foreign_program_excludes_and_is_excluded) {
  User<Lock> lock("foreign");
  platform::NamedSemaphore foreign;
  CHECK(!platform::open_semaphore(lock.object.header()->posix_name, &foreign));
  const Outcome outcome = lock->try_acquire_or_rescue();
  CHECK(bool(outcome));
  CHECK(!platform::try_wait(foreign));
  CHECK_EQUAL(lock->release(), Code::ok);
  CHECK(platform::try_wait(foreign));
  CHECK(!lock->try_acquire());
  CHECK(!lock->try_acquire_or_rescue());
  platform::post(foreign);
  CHECK(bool(lock->try_acquire_or_rescue()));
  CHECK_EQUAL(lock->release(), Code::ok);
  platform::close_semaphore(foreign);
}

}  // namespace holdfast::test
