// The list of all kinds of objects. A new kind adds its line here and its KindOps in its own files.
#include "core/store/kind_ops.h"

namespace holdfast::core {

extern const KindOps kLockOps;
extern const KindOps kRLockOps;
extern const KindOps kSemaphoreOps;
extern const KindOps kQueueOps;
extern const KindOps kBoundedSemaphoreOps;
extern const KindOps kConditionOps;
extern const KindOps kEventOps;
extern const KindOps kBarrierOps;
extern const KindOps kJoinableQueueOps;
extern const KindOps kSharedMemoryOps;
extern const KindOps kReadWriteLockOps;
extern const KindOps kLockManagerOps;

namespace {

bool is_registry_length(uint32_t, uint64_t length) {
  return length == kRegistryLength - kObjectLength;
}

constexpr KindOps registry_ops() {
  KindOps ops{"registry"};
  ops.is_plausible = is_registry_length;
  return ops;
}

const KindOps kRegistryOps = registry_ops();

}  // namespace

const KindOps* ops_of(Kind kind) {
  switch (kind) {
    case Kind::registry:
      return &kRegistryOps;
    case Kind::lock:
      return &kLockOps;
    case Kind::rlock:
      return &kRLockOps;
    case Kind::semaphore:
      return &kSemaphoreOps;
    case Kind::queue:
      return &kQueueOps;
    case Kind::bounded_semaphore:
      return &kBoundedSemaphoreOps;
    case Kind::condition:
      return &kConditionOps;
    case Kind::event:
      return &kEventOps;
    case Kind::barrier:
      return &kBarrierOps;
    case Kind::joinable_queue:
      return &kJoinableQueueOps;
    case Kind::shared_memory:
      return &kSharedMemoryOps;
    case Kind::read_write_lock:
      return &kReadWriteLockOps;
    case Kind::lock_manager:
      return &kLockManagerOps;
  }
  return nullptr;
}

}  // namespace holdfast::core
