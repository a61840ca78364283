// What is particular to each kind of object, as far as its file goes.
#ifndef HOLDFAST_CORE_STORE_KINDS_H
#define HOLDFAST_CORE_STORE_KINDS_H

#include "core/layout.h"

namespace holdfast::core {

struct KindFacts {
  const char* name;  // as users write it; nullptr: there is no such kind
  bool has_semaphore = false;
  const char* initial = nullptr;  // what Header::initial means to a user; nullptr if nothing
};

inline KindFacts facts_of(Kind kind) {
  switch (kind) {
    case Kind::registry:
      return {"registry"};
    case Kind::lock:
      return {"Lock", true};
    case Kind::rlock:
      return {"RLock"};
    case Kind::semaphore:
      return {"Semaphore", true, "an initial value of"};
    case Kind::queue:
      return {"Queue"};
    case Kind::bounded_semaphore:
      return {"BoundedSemaphore", false, "permits:"};
    case Kind::condition:
      return {"Condition"};
    case Kind::event:
      return {"Event"};
    case Kind::barrier:
      return {"Barrier", false, "parties:"};
    case Kind::joinable_queue:
      return {"JoinableQueue"};
    case Kind::shared_memory:
      return {"SharedMemory"};
    case Kind::read_write_lock:
      return {"ReadWriteLock"};
  }
  return {nullptr};
}

constexpr bool has_ring(Kind kind) { return kind == Kind::queue || kind == Kind::joinable_queue; }

// Bytes of the table behind the body, of a kind that has neither ring nor bytes of its own.
constexpr uint64_t table_length(Kind kind, uint32_t initial) {
  switch (kind) {
    case Kind::bounded_semaphore:
      return uint64_t{initial} * sizeof(Permit);
    case Kind::read_write_lock:
      return uint64_t{kReadersMax} * sizeof(Permit);
    case Kind::condition:
      return uint64_t{kConditionWaitsMax} * sizeof(Waiting);
    case Kind::barrier:
      return uint64_t{initial} * sizeof(uint64_t);
    default:
      return 0;
  }
}

// Can an object of this header be as long as it says?
constexpr bool plausible(Kind kind, uint32_t initial, uint64_t byte_length) {
  const uint64_t body = body_length(kind);
  if (byte_length < body) return false;
  const uint64_t rest = byte_length - body;
  if (has_ring(kind)) {
    return rest >= kQueueBytesMin && rest <= kQueueBytesMax && (rest & (rest - 1)) == 0;
  }
  if (kind == Kind::shared_memory) return rest >= 1 && rest <= kSharedMemoryMax;
  if (kind == Kind::bounded_semaphore && (initial < 1 || initial > kPermitsMax)) return false;
  if (kind == Kind::barrier && (initial < 1 || initial > kPartiesMax)) return false;
  return rest == table_length(kind, initial);
}

}  // namespace holdfast::core

#endif
