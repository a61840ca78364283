// Giving way to an overdue agent (core/waiting/giving_way.h, INV-23). Waits are announced as long
// as a test says, so no test waits for one.
#include "core/primitives/bounded_semaphore.h"
#include "core/primitives/read_write_lock.h"
#include "core/primitives/rlock.h"
#include "core/registry/overdue.h"
#include "support.h"

namespace holdfast::test {

namespace {

using core::BoundedSemaphore;
using core::Lock;
using core::RLock;
using core::Semaphore;

constexpr const char* kName = "in turn";
// Others give way for a 64th of the wait: here for a slice.
constexpr uint64_t kShare = 64;
constexpr uint64_t kLong_ms = kShare * kSlice_ms;

core::OpenRequest one_of(Kind kind) {
  core::OpenRequest request = request_for(kind, kName);
  if (kind == Kind::semaphore || kind == Kind::bounded_semaphore) {
    request.initial = 1;
    request.initial_given = true;
  }
  return request;
}

template <class P>
struct Taker : User<P> {
  Taker() : User<P>(one_of(kind_of<P>())) {}

  bool try_free() { return bool(this->primitive.try_acquire()); }
  bool try_once() { return bool(this->primitive.try_acquire_or_rescue()); }
  void let_go() {
    if constexpr (std::is_same_v<P, Semaphore>) {
      CHECK_EQUAL(this->primitive.release(1), Code::ok);
    } else {
      CHECK_EQUAL(this->primitive.release(), Code::ok);
    }
  }
  void announce(uint64_t waited_ms = kLong_ms) {
    core::announce_overdue(this->primitive.waiters(), this->party.registry(), this->id(),
                           waited_ms);
  }
  // As the addon does it when a wait ends in vain.
  void withdraw() {
    if (core::end_overdue(this->primitive.waiters(), this->id())) this->primitive.pass_on();
  }
  bool is_overdue() {
    return core::is_overdue(this->primitive.waiters().overdue.load(), this->id());
  }
};

template <class P>
void the_overdue_one_is_next() {
  Taker<P> greedy, waiter, other;
  CHECK(greedy.try_once());
  CHECK(!waiter.try_once());
  waiter.announce();
  greedy.let_go();
  for (int i = 0; i < 3; i++) {
    CHECK(!greedy.try_free() && !greedy.try_once());
    CHECK(!other.try_free() && !other.try_once());
  }
  CHECK(waiter.try_free());
  CHECK(!waiter.is_overdue());
  waiter.let_go();
  CHECK(greedy.try_free());  // nobody is overdue any more
  greedy.let_go();
}

template <class P>
void the_longest_wait_comes_first() {
  Taker<P> holder, longer, shorter;
  CHECK(holder.try_once());
  shorter.announce(core::kOverdue_ms - 1);
  CHECK(!shorter.is_overdue());  // too early
  shorter.announce(kLong_ms);
  CHECK(shorter.is_overdue());
  longer.announce(2 * kLong_ms);
  CHECK(longer.is_overdue());
  shorter.announce(kLong_ms);
  holder.let_go();
  CHECK(!shorter.try_once());
  CHECK(longer.try_once());
  shorter.announce(kLong_ms);
  longer.let_go();
  CHECK(!longer.try_once() && !holder.try_once());
  CHECK(shorter.try_once());
  shorter.let_go();
}

// Which of two things finds it dead: a try, or another announcement.
enum class Finder { a_try, an_announcement };

template <class P>
void nobody_gives_way_to_the_dead(Finder finder) {
  Shared<std::atomic<bool>> announced;
  Child dying([&] {
    Taker<P> taker;
    taker.announce(2 * kLong_ms);
    *announced = true;
    EVENTUALLY(!announced->load());  // it is killed in here
  });
  EVENTUALLY(announced->load());
  Taker<P> greedy, waiter;
  CHECK(!greedy.try_once());
  waiter.announce();
  CHECK(!waiter.is_overdue());  // the other one lives, and has waited longer
  dying.kill();
  if (finder == Finder::an_announcement) {
    waiter.announce();
    CHECK(waiter.is_overdue());
    waiter.withdraw();
  }
  CHECK(greedy.try_once());  // at once
  CHECK_EQUAL(greedy->waiters().overdue.load(), 0u);
  greedy.let_go();
}

template <class P>
void one_that_does_not_come_costs_a_share_of_its_wait(uint32_t share_ms) {
  Taker<P> greedy, waiter;
  waiter.announce(kShare * share_ms);
  const int64_t started = now_ns();
  EVENTUALLY(greedy.try_once());
  CHECK(ms_since(started) >= share_ms);
  CHECK(!waiter.is_overdue());
  greedy.let_go();
}

template <class P>
void who_gave_way_is_woken_when_the_wait_ends() {
  Taker<P> giving, waiter;
  waiter.announce();
  core::Agent& agent = giving.party.agent();
  core::WaitSet& set = giving->waiters();
  const int index = core::enrol(set, agent.registry(), agent.id(), 1, core::WaitHow::at_doorbell);
  CHECK(!giving.try_once());
  waiter.withdraw();
  CHECK_EQUAL(agent.take_wakes().size(), 1u);
  CHECK(!core::cancel(set, agent.id(), index));
  CHECK(giving.try_once());
  giving.let_go();
}

template <class P>
void wakers_prefer_the_overdue_one() {
  Taker<P> holder, first, waiter;
  CHECK(holder.try_once());
  int at[2];
  int i = 0;
  for (Taker<P>* each : {&first, &waiter}) {
    core::Agent& agent = each->party.agent();
    at[i++] = core::enrol((*each)->waiters(), agent.registry(), agent.id(), 1,
                          core::WaitHow::at_doorbell);
  }
  waiter.announce();
  holder.let_go();
  CHECK_EQUAL(first.party.agent().take_wakes().size(), 0u);
  CHECK_EQUAL(waiter.party.agent().take_wakes().size(), 1u);
  CHECK(core::cancel(first->waiters(), first.id(), at[0]));
  CHECK(!core::cancel(waiter->waiters(), waiter.id(), at[1]));
  CHECK(waiter.try_once());
  waiter.let_go();
}

template <class P>
void gives_way_in_every_form() {
  the_overdue_one_is_next<P>();
  the_longest_wait_comes_first<P>();
  nobody_gives_way_to_the_dead<P>(Finder::a_try);
  nobody_gives_way_to_the_dead<P>(Finder::an_announcement);
  one_that_does_not_come_costs_a_share_of_its_wait<P>(kSlice_ms);
  one_that_does_not_come_costs_a_share_of_its_wait<P>(5);
  who_gave_way_is_woken_when_the_wait_ends<P>();
  wakers_prefer_the_overdue_one<P>();
}

}  // namespace

TEST(lock_gives_way) { gives_way_in_every_form<Lock>(); }
TEST(rlock_gives_way) { gives_way_in_every_form<RLock>(); }
TEST(semaphore_gives_way) { gives_way_in_every_form<Semaphore>(); }
TEST(bounded_semaphore_gives_way) { gives_way_in_every_form<BoundedSemaphore>(); }

TEST(rlock_enters_again_beside_an_overdue_one) {
  Taker<RLock> holder, waiter;
  CHECK(holder.try_once());
  waiter.announce();
  CHECK(holder.try_free() && holder.try_once());
  for (int i = 0; i < 3; i++) holder.let_go();
  CHECK(!holder.try_free());
  CHECK(waiter.try_free());
  waiter.let_go();
}

// Two permits come back at once; one is for the overdue agent, the other for the agent that gave
// way.
TEST(semaphore_wakes_those_for_whom_something_is_left) {
  Taker<Semaphore> waiter, giving;
  CHECK(waiter.try_once());
  waiter.announce();
  core::Agent& agent = giving.party.agent();
  const int index =
      core::enrol(giving->waiters(), agent.registry(), agent.id(), 1, core::WaitHow::at_doorbell);
  platform::post(giving.object.semaphore());
  platform::post(giving.object.semaphore());
  giving->body().value.fetch_add(2);
  CHECK(!giving.try_once());
  CHECK(waiter.try_once());
  CHECK_EQUAL(agent.take_wakes().size(), 1u);
  CHECK(!core::cancel(giving->waiters(), agent.id(), index));
  CHECK(giving.try_once());
}

TEST(a_writer_gives_way_to_writers_and_readers) {
  User<core::ReadWriteLock> greedy(kName), waiter(kName);
  core::ReadWriteBody& body = greedy->body();
  for (core::WaitSet* set : {&body.writers, &body.readers}) {
    const auto announce = [&] {
      core::announce_overdue(*set, waiter.party.registry(), waiter.id(), kLong_ms);
    };
    const bool writes = set == &body.writers;
    Outcome held = greedy->try_exclusive();
    CHECK(bool(held));
    announce();
    CHECK_EQUAL(greedy->release_exclusive(held.hold), Code::ok);
    CHECK(!greedy->try_exclusive());
    held = writes ? waiter->try_exclusive() : waiter->try_shared(core::WritersToBypass::nobody);
    CHECK(bool(held));
    CHECK_EQUAL(set->overdue.load(), 0u);
    CHECK_EQUAL(writes ? waiter->release_exclusive(held.hold) : waiter->release_shared(held.hold),
                Code::ok);
    // One that does not come.
    announce();
    EVENTUALLY(bool(held = greedy->try_exclusive()));
    CHECK_EQUAL(greedy->release_exclusive(held.hold), Code::ok);
    CHECK_EQUAL(set->overdue.load(), 0u);
  }
}

}  // namespace holdfast::test
