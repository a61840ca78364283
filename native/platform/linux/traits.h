// What the Linux build can do. See posix/traits.h for its counterpart.
#ifndef HOLDFAST_PLATFORM_TRAITS_H
#define HOLDFAST_PLATFORM_TRAITS_H

#include <pthread.h>
#include <semaphore.h>

#include <cstddef>
#include <cstdint>

namespace holdfast::platform::traits {

// A thread can block in a semaphore or a mutex with a monotonic deadline (see timed_waits.h). Where
// it cannot, it waits at its doorbell.
inline constexpr bool kTimedWaits = true;

struct alignas(8) MutexStorage {
  unsigned char bytes[sizeof(pthread_mutex_t)];
};

// Names the binary layout of what the C library puts into shared memory.
#ifdef __GLIBC__
inline constexpr uint32_t kLibraryId = 1;
#else
inline constexpr uint32_t kLibraryId = 3;  // musl
#endif
inline constexpr size_t kSemaphoreSize = sizeof(sem_t);
inline constexpr size_t kMutexSize = sizeof(pthread_mutex_t);

// What a person raises where a limit is reached: of files that one process has open, of those that
// all have open, and of memory.
inline constexpr const char* kOpenFilesLimit = "ulimit -n";
inline constexpr const char* kAllFilesLimit = "sysctl fs.file-max";
inline constexpr const char* kMemoryLimit =
    "of this process (ulimit -v), of its container, or of mappings (vm.max_map_count)";
// The limit of semaphores. Empty where they are files, which only a full file system limits.
inline constexpr const char* kSemaphoresLimit = "";

}  // namespace holdfast::platform::traits

#endif
