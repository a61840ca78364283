// The list of kinds. Each is defined in the file of its name.
#ifndef HOLDFAST_ADDON_KINDS_H
#define HOLDFAST_ADDON_KINDS_H

#include "addon/operation.h"

namespace holdfast::addon {

extern const KindBinding kLock, kRLock, kSemaphore, kBoundedSemaphore, kReadWriteLock, kCondition,
    kEvent, kBarrier, kQueue, kJoinableQueue, kSharedMemory, kLockManager;

inline const KindBinding* const kKinds[] = {
    &kLock,  &kRLock,   &kSemaphore, &kBoundedSemaphore, &kReadWriteLock, &kCondition,
    &kEvent, &kBarrier, &kQueue,     &kJoinableQueue,    &kSharedMemory,  &kLockManager,
};

}  // namespace holdfast::addon

#endif
