#include <cerrno>

#include "support.h"

namespace holdfast::test {

using core::Semaphore;

namespace {

core::OpenRequest permits(const std::string& name, uint32_t initial) {
  auto request = request_for(Kind::semaphore, name);
  request.initial = initial;
  request.initial_given = true;
  return request;
}

}  // namespace

TEST(counts_down_and_up) {
  User<Semaphore> one(permits("permits", 2));
  User<Semaphore> other(permits("permits", 2));
  CHECK_EQUAL(one->value(), 2);
  CHECK(bool(one->try_acquire()));
  CHECK_EQUAL(other->value(), 1);
  CHECK(bool(other->try_acquire_or_rescue()));
  CHECK_EQUAL(one->value(), 0);
  CHECK(!one->try_acquire());
  const int64_t started = now_ns();
  CHECK(!acquire(other, kSlice_ms));
  CHECK(ms_since(started) >= kSlice_ms);
  CHECK(!acquire_at_doorbell(other, kSlice_ms));
  CHECK_EQUAL(one->value(), 0);
  // Permits have no owner: who released is not who acquired, and there may be more than at first.
  CHECK_EQUAL(one->release(5), Code::ok);
  CHECK_EQUAL(other->value(), 5);
  CHECK(bool(acquire(other)));
  CHECK(bool(acquire_at_doorbell(one)));
  CHECK_EQUAL(one->value(), 3);
  CHECK_EQUAL(one->body().acquisitions.load(), 4u);
}

TEST(an_initial_value_of_zero) {
  User<Semaphore> one(permits("permits", 0));
  CHECK_EQUAL(one->value(), 0);
  CHECK(!one->try_acquire());
  CHECK_EQUAL(one->release(1), Code::ok);
  CHECK(bool(one->try_acquire()));
}

TEST(over_release) {
  constexpr uint32_t kMax = platform::kSemaphoreValueMax;
  User<Semaphore> one(permits("full", kMax));
  CHECK_EQUAL(one->value(), static_cast<int32_t>(kMax));
  CHECK_EQUAL(one->release(1), Code::over_release);
  CHECK_EQUAL(one->value(), static_cast<int32_t>(kMax));
  CHECK(bool(one->try_acquire()) && bool(one->try_acquire()));
  CHECK_EQUAL(one->release(3), Code::over_release);  // all or none
  CHECK_EQUAL(one->release(UINT32_MAX), Code::over_release);
  CHECK_EQUAL(one->value(), static_cast<int32_t>(kMax) - 2);
  CHECK_EQUAL(one->release(2), Code::ok);
  CHECK_EQUAL(one->release(0), Code::ok);
  CHECK_EQUAL(one->value(), static_cast<int32_t>(kMax));
}

TEST(permits_are_conserved) {
  constexpr uint32_t kProcesses = 6, kPermits = 3;
  const uint32_t rounds = scaled(3000);
  struct Counts {
    std::atomic<uint32_t> inside{0};
    std::atomic<uint32_t> most{0};
    std::atomic<uint32_t> ready{0};
  };
  Shared<Counts> counts;
  std::vector<Child> children;
  for (uint32_t number = 0; number < kProcesses; number++) {
    children.emplace_back([&, number] {
      Random chance(number);
      User<Semaphore> user(permits("permits", kPermits));
      counts->ready.fetch_add(1);
      EVENTUALLY(counts->ready >= kProcesses);
      for (uint32_t round = 0; round < rounds; round++) {
        CHECK(bool(number % 2 == 0 ? acquire(user) : acquire_at_doorbell(user)));
        const uint32_t inside = counts->inside.fetch_add(1) + 1;
        CHECK(inside <= kPermits);
        uint32_t most = counts->most;
        while (inside > most && !counts->most.compare_exchange_weak(most, inside)) {
        }
        spin_us(chance.below(8));
        counts->inside.fetch_sub(1);
        CHECK_EQUAL(user->release(1), Code::ok);
      }
      counts->ready.fetch_add(1);
      EVENTUALLY(counts->ready >= 2 * kProcesses);
      CHECK_EQUAL(user->value(), static_cast<int32_t>(kPermits));
      CHECK_EQUAL(user->body().acquisitions.load(), uint64_t{kProcesses} * rounds);
      counts->ready.fetch_add(1);
      EVENTUALLY(counts->ready >= 3 * kProcesses);
    });
  }
  for (Child& child : children) child.join();
  CHECK_EQUAL(counts->inside.load(), 0u);
  note("at most %u of %u inside", counts->most.load(), kPermits);
}

// release(n) must wake n: here nobody has a slice to find out by itself.
TEST(a_release_of_several_wakes_several) {
  constexpr uint32_t kWaiters = 6;
  Shared<std::atomic<uint32_t>> waiting, got;
  std::vector<Child> children;
  for (uint32_t number = 0; number < kWaiters; number++) {
    children.emplace_back([&, number] {
      User<Semaphore> user(permits("gate", 0));
      waiting->fetch_add(1);
      CHECK(bool(number % 2 == 0 ? acquire(user, kPatience_ms, kNoSlices_ns)
                                 : acquire_at_doorbell(user, kPatience_ms, kNoSlices_ns)));
      got->fetch_add(1);
    });
  }
  in_child([&] {
    User<Semaphore> user(permits("gate", 0));
    EVENTUALLY(*waiting == kWaiters);
    EVENTUALLY(core::count_waiting(user->waiters(), user.party.registry()) == kWaiters);
    CHECK_EQUAL(user->release(2), Code::ok);
    EVENTUALLY(*got == 2);
    sleep_ms(3 * kSlice_ms);
    CHECK_EQUAL(got->load(), 2u);
    CHECK_EQUAL(user->release(kWaiters - 2), Code::ok);
    EVENTUALLY(*got == kWaiters);
    CHECK_EQUAL(user->value(), 0);
  });
  for (Child& child : children) child.join();
}

// No owner, so nobody to blame: the permit of the dead is gone, as Python's is.
TEST(a_permit_dies_with_its_process) {
  Shared<std::atomic<int>> step;
  Child watcher([&] {
    User<Semaphore> user(permits("permits", 2));
    *step = 1;
    EVENTUALLY(*step == 3);
    CHECK_EQUAL(user->value(), 1);
    CHECK(bool(user->try_acquire_or_rescue()));
    CHECK(!acquire(user, 3 * kSlice_ms));
    CHECK_EQUAL(user->release(2), Code::ok);
  });
  EVENTUALLY(*step == 1);
  Child mortal([&] {
    User<Semaphore> user(permits("permits", 2));
    CHECK(bool(user->try_acquire_or_rescue()));
    *step = 2;
    for (;;) sleep_ms(1000);
  });
  EVENTUALLY(*step == 2);
  mortal.kill();
  *step = 3;
  watcher.join();
  sweep();
}

TEST(another_initial_value_is_another_semaphore) {
  User<Semaphore> user(permits("permits", 2));
  core::Object* object = nullptr;
  CHECK_EQUAL(user.party.try_open(permits("permits", 3), &object).code, Code::incompatible);
  CHECK_EQUAL(user.party.try_open(request_for(Kind::semaphore, "permits"), &object).code, Code::ok);
  CHECK(object == &user.object);
}

TEST(a_foreign_post_is_a_permit) {
  User<Semaphore> user(permits("permits", 0));
  platform::NamedSemaphore foreign;
  CHECK(!platform::open_semaphore(user.object.header()->posix_name, &foreign));
  platform::post(foreign);
  CHECK(bool(acquire(user)));
  platform::post(foreign);
  CHECK(bool(acquire_at_doorbell(user)));
  CHECK(!user->try_acquire_or_rescue());
  platform::close_semaphore(foreign);
}

}  // namespace holdfast::test
