// What macOS can do. See linux/traits.h.
#ifndef HOLDFAST_PLATFORM_TRAITS_H
#define HOLDFAST_PLATFORM_TRAITS_H

#include <semaphore.h>

#include <cstddef>
#include <cstdint>

namespace holdfast::platform::traits {

inline constexpr bool kTimedWaits = false;

struct alignas(8) MutexStorage {
  uint64_t owner;  // an agent id, or 0
};

inline constexpr uint32_t kLibraryId = 5;
inline constexpr size_t kSemaphoreSize = sizeof(sem_t);
inline constexpr size_t kMutexSize = sizeof(MutexStorage);

}  // namespace holdfast::platform::traits

#endif
