// A robust mutex around a few words or one copy: microseconds, unless its holder was stopped inside.
#ifndef HOLDFAST_CORE_GUARD_H
#define HOLDFAST_CORE_GUARD_H

#include "core/agent.h"

namespace holdfast::core {

class Guard {
 public:
  // Whoever cannot have the guard for this long tries again at its next slice rather than block the
  // event loop.
  static constexpr int64_t kPatience_ns = 2 * platform::kNanosPerMilli;

  Guard(Agent& agent, platform::traits::MutexStorage& mutex)
      : agent_(agent), mutex_(mutex), result_(lock()) {}
  ~Guard() {
    if (locked()) platform::unlock_mutex(&mutex_, agent_.party());
  }
  Guard(const Guard&) = delete;
  Guard& operator=(const Guard&) = delete;

  bool locked() const { return result_ == Result::locked || abandoned(); }
  // Locked, and whoever had it before died inside.
  bool abandoned() const { return result_ == Result::owner_died; }

 private:
  using Result = platform::MutexResult;

  Result lock() {
    const platform::MutexParty party = agent_.party();
    Result result = platform::try_lock_mutex(&mutex_, party);
    if (result == Result::locked || result == Result::owner_died) return result;
    const int64_t deadline_ns = platform::monotonic_ns() + kPatience_ns;
    result = platform::lock_mutex_until(&mutex_, party, deadline_ns);
    while (result == Result::mistaken_identity && platform::monotonic_ns() < deadline_ns) {
      platform::sleep_ns(100'000);  // the kernel will not let us wait for what it takes for ourselves
      result = platform::try_lock_mutex(&mutex_, party);
    }
    return result;
  }

  Agent& agent_;
  platform::traits::MutexStorage& mutex_;
  const Result result_;
};

}  // namespace holdfast::core

#endif
