// Which agents wait for an object and want to be woken. The words are in layout.h. Nothing here
// blocks.
//
// INV-4 A waiter enrols and then tries; a waker posts and then wakes. They cannot both miss each
// other, because both publish with a sequentially consistent write before they look.
//
// INV-5 One enrolment is woken at most once: one swap takes the entry out. Who dozes may hear of a
//       release twice (dozing.h).
//
// INV-6 What a crash loses here (a wake-up, an entry, a bit) costs a waiter one slice.
#ifndef HOLDFAST_CORE_REGISTRY_WAIT_SET_H
#define HOLDFAST_CORE_REGISTRY_WAIT_SET_H

#include "core/layout.h"
#include "core/registry/registry.h"

namespace holdfast::core {

enum class WaitHow { at_doorbell, in_kernel };

// Puts `id` into the set, with `waiting` acquisitions behind it. Returns the index of its entry, or
// -1 if the set is full of live agents: then the waiter looks only once a slice.
int enrol(WaitSet& set, Registry& registry, AgentId id, uint32_t waiting, WaitHow how);

// If `index` still is this agent's entry, sets its bit again (INV-6). Otherwise enrols.
int enrol_again(WaitSet& set, Registry& registry, AgentId id, uint32_t waiting, int index);

// Takes the enrolment back. False if a waker was faster: its wake-up is on the way. A waiter that
// no longer needs it must pass it on with wake_one().
bool cancel(WaitSet& set, AgentId id, int index);

// Is this its entry, with its bit?
bool is_enrolled(const WaitSet& set, AgentId id, int index);

// Wakes the live agent that has waited longest; all, if one of them dozes (dozing.h). False if
// there is none. Call after an atomic read-modify-write that made something available (INV-4).
bool wake_one(WaitSet& set, Registry& registry, uint64_t tag);

// Wakes all who are in the set now, one after the other.
void wake_all(WaitSet& set, Registry& registry, uint64_t tag);

// The same, but takes nobody out of the set, and also rings for those who have lost their bit or
// wait in the kernel. False if nobody alive was there, or all have left meanwhile.
bool ring_all(WaitSet& set, Registry& registry, uint64_t tag);

// Acquisitions that wait now, of live agents: a snapshot for inspect().
uint32_t count_waiting(WaitSet& set, Registry& registry);

// Empties the set. Only while nobody else has the object open.
void reset(WaitSet& set);

}  // namespace holdfast::core

#endif
