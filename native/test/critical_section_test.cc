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
    std::vector<double> excess;
    for (int i = 0; i < kTries; i++) {
      const double yields_ms = ms_of_yields(kYields);
      const int64_t since = now_ns();
      CHECK(!core::CriticalSection(user.party.agent(), user->body().mutex).entered());
      excess.push_back(ms_since(since) - yields_ms);
    }
    note("%.1f ms more than %d yields", median(excess), kYields);
    CHECK(median(excess) < 100);  // far above 2 ms, and far below hundreds of yields
  });
  caller.join();
  inside.kill();
  sweep();
}

}  // namespace holdfast::test
