#include "core/waiting/critical_section.h"

#include "core/kill_point.h"

namespace holdfast::core {

namespace {

// Tries before the thread goes to sleep, with a pause that grows from try to try: about 3 us in
// all. A critical section takes a tenth of that, and to sleep and be woken takes ten times as long.
// On a single processor the holder cannot go on while another thread spins.
const int kSpins = platform::processor_count() > 1 ? 24 : 0;

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
  for (int spin = 0; spin < kSpins && result == Result::busy; spin++) {
    for (int i = 0; i <= spin; i++) platform::pause();
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
