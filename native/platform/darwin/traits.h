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

// launchd gives what it starts a limit of its own. No process gets more than kern.maxfilesperproc.
inline constexpr const char* kOpenFilesLimit =
    "ulimit -n; launchctl limit maxfiles for a service; at most sysctl kern.maxfilesperproc";
inline constexpr const char* kAllFilesLimit = "sysctl kern.maxfiles";
inline constexpr const char* kMemoryLimit = "of this process (ulimit -v), or end some programs";
// sem_open(3) says ENOSPC for it (posix_sem.c of XNU).
inline constexpr const char* kSemaphoresLimit = "sysctl kern.posix.sem.max";

}  // namespace holdfast::platform::traits

#endif
