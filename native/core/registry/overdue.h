// An agent that has waited for 3 ms (kOverdue_ms) or longer is overdue, once it has tried again in
// vain. The word `overdue` of a wait set names the one that has waited longest. Wakers prefer it,
// and the others give way to it (core/waiting/giving_way.h). The word is in layout.h; nothing here
// blocks.
#ifndef HOLDFAST_CORE_REGISTRY_OVERDUE_H
#define HOLDFAST_CORE_REGISTRY_OVERDUE_H

#include "core/layout.h"
#include "core/registry/registry.h"

namespace holdfast::core {

// As much of an id as there is room for beside a time: the slot, and a part of the serial number.
constexpr uint32_t kOverdueIdBits = 24;
constexpr uint64_t kOverdueIdMask = (uint64_t{1} << kOverdueIdBits) - 1;

inline bool is_overdue(uint64_t word, AgentId id) {
  return word != 0 && (word & kOverdueIdMask) == (id & kOverdueIdMask);
}

// The agent that the word names. 0: nobody, or an agent that has left its slot.
inline AgentId overdue_agent(uint64_t word, Registry& registry) {
  return word == 0 ? 0 : registry.find(word & kOverdueIdMask, kOverdueIdMask);
}

// How long the agent that the word names has waited.
uint64_t waited_ms(uint64_t word);

// For a waiter whose try was in vain, and that has waited so long. No effect before it is
// overdue, or while another agent lives that has waited longer.
void announce_overdue(WaitSet& set, Registry& registry, AgentId me, uint64_t waited_ms);

// The agent has acquired, or waits no more. False if the word names another agent, or nobody.
bool end_overdue(WaitSet& set, AgentId me);

// How long the agent has waited that the word names. -1: it names nobody who lives.
int64_t longest_wait_ms(WaitSet& set, Registry& registry);

}  // namespace holdfast::core

#endif
