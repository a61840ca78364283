#include "platform/platform.h"

namespace holdfast::platform {

// No call of POSIX sleeps at a word of shared memory: waiters go to their doorbell.
bool sleep_while(const std::atomic<uint32_t>&, uint32_t, uint32_t, int64_t) { return false; }
bool wake_sleepers(std::atomic<uint32_t>&, uint32_t, int32_t) { return false; }

}  // namespace holdfast::platform
