// A thread that dies while it holds more RLocks than the kernel marks for one thread.
#include <sys/resource.h>
#include <unistd.h>

#include <memory>
#include <vector>

#include "support.h"

namespace holdfast::test {

using core::RLock;

namespace {

constexpr size_t kMarkedByTheKernel = 2048;  // ROBUST_LIST_LIMIT
constexpr size_t kMany = kMarkedByTheKernel + 12;
constexpr size_t kOldest = 16;  // locked first, so the last in the kernel's list

std::string name_of(size_t i) { return "one of many " + to_text(i); }

// Each open object has a descriptor.
void allow_many_files() {
  rlimit limit;
  CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
  if (limit.rlim_max < kMany + 100) skip("this user may not open so many files");
  limit.rlim_cur = limit.rlim_max;
  CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
}

struct Held {
  core::Object& object;
  RLock lock;
  Held(Party& party, const std::string& name)
      : object(party.open(Kind::rlock, name)), lock(party.agent(), object) {}
};

}  // namespace

TEST(all_are_abandoned_and_none_stays_locked) {
  allow_many_files();
  Shared<std::atomic<bool>> held;
  Child holder([&] {
    Party party;
    std::vector<std::unique_ptr<Held>> locks;
    for (size_t i = 0; i < kMany; i++) {
      locks.push_back(std::make_unique<Held>(party, name_of(i)));
      CHECK(bool(locks.back()->lock.try_acquire()));
    }
    *held = true;
    for (;;) pause();
  });
  EVENTUALLY(held->load());
  Party party;
  std::vector<std::unique_ptr<Held>> heirs;
  for (size_t i = 0; i < kOldest; i++) {
    heirs.push_back(std::make_unique<Held>(party, name_of(i)));
    CHECK(!heirs.back()->lock.try_acquire_or_rescue());
  }
  holder.kill();
  for (const std::unique_ptr<Held>& heir : heirs) {
    const Outcome first = heir->lock.try_acquire_or_rescue();
    CHECK(bool(first) && first.abandoned);
    CHECK_EQUAL(heir->lock.release(), Code::ok);
    // At the first try: a mutex that stayed locked would cost two slices each time.
    for (int again = 0; again < 3; again++) {
      const Outcome next = heir->lock.try_acquire_or_rescue();
      CHECK(bool(next) && !next.abandoned);
      CHECK_EQUAL(heir->lock.release(), Code::ok);
    }
  }
  heirs.clear();
  for (size_t i = 0; i < kMany; i++) {
    core::Object& left = party.open(Kind::rlock, name_of(i));
    CHECK(party.store().unlink(&left).ok());
    party.close(left);
  }
}

// Beyond what the kernel marks, a lock is held by its word alone. It excludes all the same, and is
// released in any order.
TEST(those_without_a_mutex_exclude_and_are_released_in_any_order) {
  allow_many_files();
  const size_t many = core::Agent::kMutexesMax + 8;
  Party party;
  Party other(party.shared_store());
  std::vector<std::unique_ptr<Held>> locks;
  for (size_t i = 0; i < many; i++) {
    locks.push_back(std::make_unique<Held>(party, name_of(i)));
    CHECK(bool(locks.back()->lock.try_acquire()));
    CHECK(bool(locks.back()->lock.try_acquire()));  // nested
    CHECK_EQUAL(locks.back()->lock.release(), Code::ok);
  }
  if (platform::kernel_marks_mutexes()) CHECK(!party.agent().may_lock_mutexes());
  Held first(other, name_of(0)), last(other, name_of(many - 1));
  CHECK(!first.lock.try_acquire_or_rescue() && !last.lock.try_acquire_or_rescue());
  CHECK(!first.lock.wait(now_ns() + 3 * platform::kNanosPerMilli));
  CHECK(!last.lock.wait(now_ns() + 3 * platform::kNanosPerMilli));
  CHECK_EQUAL(locks[0]->lock.release(), Code::ok);
  CHECK_EQUAL(locks[many - 1]->lock.release(), Code::ok);
  CHECK(bool(first.lock.try_acquire()) && bool(last.lock.try_acquire()));
  CHECK(!locks[0]->lock.try_acquire_or_rescue() && !locks[many - 1]->lock.try_acquire_or_rescue());
  CHECK_EQUAL(first.lock.release(), Code::ok);
  CHECK_EQUAL(last.lock.release(), Code::ok);
  for (size_t i = 1; i + 1 < many; i++) CHECK_EQUAL(locks[i]->lock.release(), Code::ok);
  CHECK_EQUAL(party.agent().may_lock_mutexes(), platform::kernel_marks_mutexes());
}

}  // namespace holdfast::test
