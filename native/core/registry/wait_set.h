// Who waits for an object and wants to be woken. The words are in layout.h; nothing here blocks.
//
// INV-4 A waiter that enrols and then tries, and a waker that posts and then wakes, cannot both
// miss: both sides publish with a sequentially consistent write before they look. INV-5 One
// enrolment is woken at most once: taking the entry out is one swap. INV-6 Whatever a crash loses
// here (a wake-up, an entry, a bit) costs a waiter one slice and no more.
#ifndef HOLDFAST_CORE_REGISTRY_WAIT_SET_H
#define HOLDFAST_CORE_REGISTRY_WAIT_SET_H

#include "core/layout.h"
#include "core/registry/registry.h"

namespace holdfast::core {

enum class WaitHow { at_doorbell, in_kernel };

// Puts `id` into the set, with `waiting` acquisitions behind it. -1 if the set is full of live
// agents: then the waiter has its slices and nothing else.
int enrol(WaitSet& set, Registry& registry, AgentId id, uint32_t waiting, WaitHow how);

// Enrols again unless `index` still is this agent's entry, whose bit is set again (INV-6).
int enrol_again(WaitSet& set, Registry& registry, AgentId id, uint32_t waiting, int index);

// Takes the enrolment back. False if a waker was faster: its wake-up is on the way, and a waiter
// that does not want it must pass it on with wake_one().
bool cancel(WaitSet& set, AgentId id, int index);

// Wakes the one who waited longest and lives; false if there is nobody to wake. Call after an
// atomic read-modify-write that made something available (INV-4).
bool wake_one(WaitSet& set, Registry& registry, uint64_t tag);

// Wakes everybody who is in the set now. One wake-up wakes one agent, so its cost grows with their
// number.
void wake_all(WaitSet& set, Registry& registry, uint64_t tag);

// Acquisitions that wait now, of live agents: a snapshot for inspect().
uint32_t count_waiting(WaitSet& set, Registry& registry);

// Empties the set. Only while nobody else has the object open.
void reset(WaitSet& set);

}  // namespace holdfast::core

#endif
