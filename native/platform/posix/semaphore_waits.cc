#include "platform/platform.h"

namespace holdfast::platform {

// macOS has neither sem_timedwait nor sem_getvalue: waiters go to their doorbell, and Semaphore
// counts for itself.
bool wait_until(NamedSemaphore semaphore, int64_t) { return try_wait(semaphore); }
int32_t value_of(NamedSemaphore) { return -1; }

}  // namespace holdfast::platform
