// What a build from POSIX calls alone can do. See linux/traits.h.
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

#if defined(__linux__) && !defined(__GLIBC__)
inline constexpr uint32_t kLibraryId = 4;  // musl
#else
inline constexpr uint32_t kLibraryId = 2;
#endif
inline constexpr size_t kSemaphoreSize = sizeof(sem_t);
inline constexpr size_t kMutexSize = sizeof(MutexStorage);

inline constexpr const char* kOpenFilesLimit = "ulimit -n";
inline constexpr const char* kAllFilesLimit = "see the manual of this system";
inline constexpr const char* kMemoryLimit = "of this process (ulimit -v)";
inline constexpr const char* kSemaphoresLimit = "";

}  // namespace holdfast::platform::traits

#endif
