// What a look at an object's file tells of it, without opening the object: who holds it, who waits
// for it, and its counters. The object's agents go on meanwhile, so it is true of about one
// instant.
#ifndef HOLDFAST_CORE_STORE_OBSERVATION_H
#define HOLDFAST_CORE_STORE_OBSERVATION_H

#include <cstdint>
#include <utility>
#include <vector>

#include "core/registry/registry.h"

namespace holdfast::core {

struct Observation {
  // An agent that holds the object or waits for it.
  struct Party {
    AgentFacts agent;
    AgentId id;
    const char* how;  // "exclusive", "shared", "permit", "lease"; "get", "put", "join", "wait"
    uint32_t count;   // permits, leases, or waits of this agent
  };
  // Not every kind of object can be observed.
  bool is_known = false;
  // A holder died, and nobody has acquired it since.
  bool abandoned = false;
  int64_t held_ms = -1;          // see core/waiting/held_since.h; -1: not known
  int64_t longest_wait_ms = -1;  // 0 below a slice; -1: nobody waits
  std::vector<Party> holders, waiters;
  std::vector<std::pair<const char*, double>> numbers;  // by the names that inspect() gives them
};

}  // namespace holdfast::core

#endif
