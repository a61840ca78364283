// A robust mutex around a few words or one copy. It is held for microseconds, unless its holder was
// stopped inside.
#ifndef HOLDFAST_CORE_WAITING_CRITICAL_SECTION_H
#define HOLDFAST_CORE_WAITING_CRITICAL_SECTION_H

#include "core/agents/agent.h"

namespace holdfast::core {

class CriticalSection {
 public:
  // An agent that cannot lock the mutex within this time tries again at its next slice. So it does
  // not block its event loop for longer.
  static constexpr int64_t kPatience_ns = 2 * platform::kNanosPerMilli;

  CriticalSection(Agent& agent, platform::traits::MutexStorage& mutex);
  ~CriticalSection();
  CriticalSection(const CriticalSection&) = delete;
  CriticalSection& operator=(const CriticalSection&) = delete;

  bool entered() const { return result_ == Result::locked || abandoned(); }
  // Locked, and its last holder died inside.
  bool abandoned() const { return result_ == Result::owner_died; }

 private:
  using Result = platform::MutexResult;

  Result lock();

  Agent& agent_;
  platform::traits::MutexStorage& mutex_;
  const Result result_;
};

}  // namespace holdfast::core

#endif
