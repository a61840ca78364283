// The critical section of a LockManager's table.
#ifndef HOLDFAST_CORE_LOCKS_SECTION_H
#define HOLDFAST_CORE_LOCKS_SECTION_H

#include "core/locks/lock_manager.h"

namespace holdfast::core {

// Those who were granted something in it are woken after it. Makes the index anew first if somebody
// died in here, or found it damaged (INV-21).
class LockManager::Section {
 public:
  explicit Section(LockManager& manager);
  ~Section();
  Section(const Section&) = delete;
  Section& operator=(const Section&) = delete;

  bool entered() const { return section_.entered() && manager_.cells_.are_plausible(); }
  // Why it was not entered.
  RequestStatus status() const {
    return section_.entered() ? RequestStatus::corrupt : RequestStatus::busy;
  }

 private:
  // Destroyed after the critical section was left.
  struct Wakes {
    LockManager& manager;
    ~Wakes() { manager.wake_granted(); }
  };

  LockManager& manager_;
  Wakes wakes_;
  CriticalSection section_;
};

}  // namespace holdfast::core

#endif
