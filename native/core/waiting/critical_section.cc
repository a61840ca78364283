#include "core/waiting/critical_section.h"

#include "core/kill_point.h"
#include "core/waiting/spin.h"

namespace holdfast::core {

namespace {

// Tries before the thread goes to sleep, a microsecond apart: to sleep and be woken takes as long
// as all of them. A critical section takes a third of a microsecond, so others get through it
// several times between two tries, and do not lose its words to this processor after each
// (docs/adr/0073-words-that-move.md). On a single processor the holder cannot go on while another
// thread spins.
const int kTries = platform::processor_count() > 1 ? 16 : 0;
constexpr int64_t kBetweenTries_ns = 1'000;

}  // namespace

CriticalSection::CriticalSection(Agent& agent, platform::traits::MutexStorage& mutex)
    : agent_(agent), mutex_(mutex), result_(lock()) {
  KILL_POINT("critical_section.entered");
}

CriticalSection::~CriticalSection() {
  if (entered()) platform::unlock_mutex(&mutex_, agent_.party());
  KILL_POINT("critical_section.left");
}

CriticalSection::Result CriticalSection::lock() {
  const platform::MutexParty party = agent_.party();
  Result result = platform::try_lock_mutex(&mutex_, party);
  for (int tries = 0; tries < kTries && result == Result::busy; tries++) {
    spin_until(platform::monotonic_ns() + kBetweenTries_ns, [] { return false; });
    result = platform::try_lock_mutex(&mutex_, party);
  }
  if (result == Result::locked || result == Result::owner_died) return result;
  const int64_t deadline_ns = platform::monotonic_ns() + kPatience_ns;
  result = platform::lock_mutex_until(&mutex_, party, deadline_ns);
  while (result == Result::mistaken_identity && platform::monotonic_ns() < deadline_ns) {
    platform::sleep_ns(100'000);  // the kernel takes the holder for this thread, so it cannot wait
    result = platform::try_lock_mutex(&mutex_, party);
  }
  return result;
}

}  // namespace holdfast::core
