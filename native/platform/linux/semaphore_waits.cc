#include <semaphore.h>

#include <cerrno>

#include "platform/platform.h"
#include "timed_waits.h"

namespace holdfast::platform {

namespace {

// 0, or the error number: ETIMEDOUT, EINTR.
int wait_once(sem_t* semaphore, int64_t deadline_ns) {
#ifdef __GLIBC__
  if (sem_clockwait == nullptr) {
    const bool taken = poll_until(deadline_ns, [&] { return sem_trywait(semaphore) == 0; });
    return taken ? 0 : ETIMEDOUT;
  }
  const timespec deadline = timespec_of(deadline_ns);
  return sem_clockwait(semaphore, CLOCK_MONOTONIC, &deadline) == 0 ? 0 : errno;
#else
  const timespec deadline = on_wall_clock(deadline_ns);
  return sem_timedwait(semaphore, &deadline) == 0 ? 0 : errno;
#endif
}

}  // namespace

bool wait_until(NamedSemaphore semaphore, int64_t deadline_ns) {
  int errnum;
  do {
    errnum = wait_once(static_cast<sem_t*>(semaphore.handle), deadline_ns);
  } while (errnum == EINTR || (errnum == ETIMEDOUT && monotonic_ns() < deadline_ns));
  return errnum == 0;
}

int32_t value_of(NamedSemaphore semaphore) {
  int value = 0;
  return sem_getvalue(static_cast<sem_t*>(semaphore.handle), &value) == 0 ? value : -1;
}

}  // namespace holdfast::platform
