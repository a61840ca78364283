// Finds out cheaply that nobody has died, for those who keep much that agents left behind them.
//
// An agent that looks through all records of others takes a census before: who is alive, and which
// number was given away last (Registry::newest). As long as no number was given away since, and all
// of them live, no other agent can have come, taken a record and died. So there is nothing to look
// for. What this costs depends on the number of agents, not on that of the records.
//
//   newcomer   take a number   be in the slot   take another number     ... take a record
//   census                                                          read the number, then the slots
//
// If a newcomer is not in the slots that a census has read, its second number makes that census
// outdated.
#ifndef HOLDFAST_CORE_REGISTRY_CENSUS_H
#define HOLDFAST_CORE_REGISTRY_CENSUS_H

#include <vector>

#include "core/registry/registry.h"

namespace holdfast::core {

class Census {
 public:
  // Can an agent other than `self` have died that the last look did not find dead? If so, takes a
  // new census, for the look that has to follow. Some system calls for each agent.
  bool is_outdated(Registry& registry, AgentId self);
  bool is_taken() const { return next_.newest != 0; }
  // That look has come by all records.
  void complete();
  // Agents that it asks about.
  size_t size() const { return last_.living.size(); }

 private:
  struct Count {
    uint64_t newest = 0;
    std::vector<AgentId> living;
  };
  Count last_, next_;
};

}  // namespace holdfast::core

#endif
