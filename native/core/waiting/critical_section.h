// A robust mutex around a few words or one copy: microseconds, unless its holder was stopped
// inside.
#ifndef HOLDFAST_CORE_WAITING_CRITICAL_SECTION_H
#define HOLDFAST_CORE_WAITING_CRITICAL_SECTION_H

#include "core/agents/agent.h"

namespace holdfast::core {

class CriticalSection {
 public:
  // Whoever cannot have the mutex for this long tries again at its next slice rather than block the
  // event loop.
  static constexpr int64_t kPatience_ns = 2 * platform::kNanosPerMilli;

  CriticalSection(Agent& agent, platform::traits::MutexStorage& mutex);
  ~CriticalSection();
  CriticalSection(const CriticalSection&) = delete;
  CriticalSection& operator=(const CriticalSection&) = delete;

  bool entered() const { return result_ == Result::locked || abandoned(); }
  // Locked, and whoever had it before died inside.
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
