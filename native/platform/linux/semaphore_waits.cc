#include <semaphore.h>
#include <time.h>

#include <cerrno>

#include "platform/platform.h"

namespace holdfast::platform {

bool wait_until(NamedSemaphore semaphore, int64_t deadline_ns) {
  // CLOCK_MONOTONIC, not sem_timedwait's wall clock: setting the clock back must not prolong a
  // wait.
  const timespec deadline{static_cast<time_t>(deadline_ns / 1'000'000'000),
                          static_cast<long>(deadline_ns % 1'000'000'000)};
  int result;
  do {
    result = sem_clockwait(static_cast<sem_t*>(semaphore.handle), CLOCK_MONOTONIC, &deadline);
  } while (result != 0 && errno == EINTR);
  return result == 0;
}

int32_t value_of(NamedSemaphore semaphore) {
  int value = 0;
  return sem_getvalue(static_cast<sem_t*>(semaphore.handle), &value) == 0 ? value : -1;
}

}  // namespace holdfast::platform
