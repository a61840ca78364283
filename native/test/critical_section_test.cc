// What a call that meets a stopped process in a critical section costs.
#include "core/waiting/critical_section.h"

#include <sched.h>

#include "core/primitives/barrier.h"
#include "support.h"

namespace holdfast::test {

using core::Barrier;

namespace {

core::OpenRequest meeting() {
  core::OpenRequest request = request_for(Kind::barrier, "meeting");
  request.initial = 2;
  return request;
}

// As many as keep every processor busy, so that a yield takes as long as the turns of several.
std::vector<Child> busy_processes() {
  std::vector<Child> busy;
  for (uint32_t i = 0; i < 4 * platform::processor_count(); i++) {
    busy.emplace_back([] {
      for (;;) spin_us(1000);
    });
  }
  return busy;
}

double ms_of_yields(int count) {
  const int64_t since = now_ns();
  for (int i = 0; i < count; i++) sched_yield();
  return ms_since(since);
}

}  // namespace

// Its patience is a time, not a number of yields.
TEST(a_critical_section_is_given_up_in_time_where_processors_are_busy) {
  constexpr int kYields = 16, kTries = 5;
  const Shared<std::atomic<bool>> is_in;
  Child inside([&] {
    User<Barrier> user(meeting());
    const core::CriticalSection section(user.party.agent(), user->body().mutex);
    is_in->store(section.entered());
    for (;;) sleep_ms(1000);
  });
  EVENTUALLY(is_in->load());
  inside.stop();
  Child caller([&] {
    const std::vector<Child> busy = busy_processes();
    User<Barrier> user(meeting());
    std::vector<double> yields_ms, tries_ms;
    for (int i = 0; i < kTries; i++) {
      yields_ms.push_back(ms_of_yields(kYields));
      const int64_t since = now_ns();
      CHECK(!core::CriticalSection(user.party.agent(), user->body().mutex).entered());
      tries_ms.push_back(ms_since(since));
    }
    note("%.1f ms; %d yields %.1f ms", median(tries_ms), kYields, median(yields_ms));
    // Far above 2 ms, and below hundreds of yields, which take longer on a busier machine.
    CHECK(median(tries_ms) < 4 * median(yields_ms) + 100);
  });
  caller.join();
  inside.kill();
  sweep();
}

}  // namespace holdfast::test
