// What can be told of an object from outside: since when it is held, and who waits for how long.
#include "core/registry/overdue.h"
#include "support.h"

namespace holdfast::test {

namespace {

using core::Listing;
using core::Lock;
using core::ReadWriteLock;
using core::RLock;
using core::Store;

constexpr const char* kName = "observed";

template <class P>
int64_t age_ms(User<P>& user) {
  auto& body = user->body();
  return core::HeldSince(body.held_since).age_ms(body.acquisitions.load());
}

core::Observation observe(core::Store& store) {
  std::vector<Listing> listings;
  CHECK(store.list(&listings, Store::Look::at_bodies).ok());
  CHECK_EQUAL(listings.size(), 1u);
  return listings[0].seen;
}

// Only a hold that was looked at has a time, and only its own.
template <class P, class Take, class Free>
void ages(Take take, Free free) {
  User<P> one(kName), other(kName);
  other->note_hold();
  CHECK_EQUAL(age_ms(other), -1);
  take(one);
  CHECK_EQUAL(age_ms(other), -1);
  CHECK_EQUAL(observe(one.party.store()).held_ms, -1);
  other->note_hold();
  sleep_ms(20);
  other->note_hold();
  one->note_hold();
  CHECK(age_ms(other) >= 20);
  const core::Observation seen = observe(one.party.store());
  CHECK(seen.is_known && !seen.abandoned);
  CHECK(seen.held_ms >= 20);
  CHECK_EQUAL(seen.holders.size(), 1u);
  CHECK_EQUAL(seen.holders[0].id, one.id());
  free(one);
  CHECK_EQUAL(observe(one.party.store()).holders.size(), 0u);
  take(one);
  CHECK_EQUAL(age_ms(other), -1);
  free(one);
}

template <class P>
void owned_ages() {
  ages<P>([](User<P>& user) { CHECK(bool(user->try_acquire())); },
          [](User<P>& user) { CHECK_EQUAL(user->release(), Code::ok); });
}

}  // namespace

TEST(since_when_a_lock_is_held) { owned_ages<Lock>(); }
TEST(since_when_an_rlock_is_held) { owned_ages<RLock>(); }
TEST(since_when_a_writer_writes) {
  uint64_t hold = 0;
  ages<ReadWriteLock>(
      [&](User<ReadWriteLock>& user) { CHECK((hold = user->try_exclusive().hold) != 0); },
      [&](User<ReadWriteLock>& user) { CHECK_EQUAL(user->release_exclusive(hold), Code::ok); });
}

TEST(who_waits_and_for_how_long) {
  User<Lock> holder(kName), waiter(kName);
  CHECK(bool(holder->try_acquire()));
  core::Registry& registry = waiter.party.registry();
  CHECK_EQUAL(observe(holder.party.store()).longest_wait_ms, -1);
  const int index =
      core::enrol(waiter->waiters(), registry, waiter.id(), 3, core::WaitHow::at_doorbell);
  core::Observation seen = observe(holder.party.store());
  CHECK_EQUAL(seen.waiters.size(), 1u);
  CHECK_EQUAL(seen.waiters[0].id, waiter.id());
  CHECK_EQUAL(seen.waiters[0].count, 3u);
  CHECK_EQUAL(seen.longest_wait_ms, 0);
  core::announce_overdue(waiter->waiters(), registry, waiter.id(), 700);
  CHECK(observe(holder.party.store()).longest_wait_ms >= 700);
  core::end_overdue(waiter->waiters(), waiter.id());
  core::cancel(waiter->waiters(), waiter.id(), index);
  CHECK_EQUAL(observe(holder.party.store()).longest_wait_ms, -1);
  CHECK_EQUAL(holder->release(), Code::ok);
}

// A dead holder is no holder, and its death is news.
TEST(a_dead_holder_is_not_shown) {
  User<Lock> user(kName);
  {
    User<Lock> dying(kName);
    CHECK(bool(dying->try_acquire()));
    dying.party.agent().end();
    const core::Observation seen = observe(user.party.store());
    CHECK(seen.abandoned);
    CHECK_EQUAL(seen.holders.size(), 0u);
    CHECK_EQUAL(seen.held_ms, -1);
  }
  CHECK(user->try_acquire_or_rescue().abandoned);
  CHECK_EQUAL(user->release(), Code::ok);
}

}  // namespace holdfast::test
