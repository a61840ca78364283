#include <semaphore.h>

#include <cerrno>

#include "platform/platform.h"

namespace holdfast::platform {

namespace {

sem_t* of(NamedSemaphore semaphore) { return static_cast<sem_t*>(semaphore.handle); }

}  // namespace

void close_semaphore(NamedSemaphore semaphore) { sem_close(of(semaphore)); }

OsError unlink_semaphore(const char* name) {
  return sem_unlink(name) != 0 ? OsError{errno, "sem_unlink"} : OsError{};
}

bool try_wait(NamedSemaphore semaphore) {
  int result;
  do {
    result = sem_trywait(of(semaphore));
  } while (result != 0 && errno == EINTR);
  return result == 0;
}

OsError post(NamedSemaphore semaphore) {
  return sem_post(of(semaphore)) != 0 ? OsError{errno, "sem_post"} : OsError{};
}

}  // namespace holdfast::platform
