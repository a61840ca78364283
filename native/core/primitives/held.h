// What an agent holds, for those who look for deadlocks (src/deadlocks/).
#ifndef HOLDFAST_CORE_PRIMITIVES_HELD_H
#define HOLDFAST_CORE_PRIMITIVES_HELD_H

#include <cstdint>

#include "core/agreed.h"

namespace holdfast::core {

struct Held {
  uint64_t tag;   // of the object
  uint64_t hold;  // its number; 0: of a claim
  HoldMode mode;
};

}  // namespace holdfast::core

#endif
