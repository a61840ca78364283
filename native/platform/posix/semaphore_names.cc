#include <fcntl.h>
#include <semaphore.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "platform/platform.h"
#include "signals.h"

namespace holdfast::platform {

namespace {

// The file in which the C library keeps a semaphore.
std::string file_of(const char* name) {
#ifdef __GLIBC__
  return std::string("/dev/shm/sem.") + (name + 1);
#else
  return std::string("/dev/shm/") + (name + 1);  // musl
#endif
}

// Everybody may put such a file there; but nobody can replace ours, because the directory is
// sticky.
bool is_foreign(const char* name) {
  struct stat facts;
  return lstat(file_of(name).c_str(), &facts) == 0 &&
         (facts.st_uid != geteuid() || !S_ISREG(facts.st_mode));
}

}  // namespace

OsError create_semaphore(const char* name, uint32_t value, NamedSemaphore* semaphore) {
  sem_t* opened = SEM_FAILED;
  const int errnum = without_signal(SIGXFSZ, [&] {
    opened = sem_open(name, O_CREAT | O_EXCL, 0600, value);
    return opened == SEM_FAILED ? errno : 0;
  });
  if (errnum != 0) return {errnum, "sem_open"};
  chmod(file_of(name).c_str(), 0600);  // whatever the umask has taken from it
  semaphore->handle = opened;
  return {};
}

OsError open_semaphore(const char* name, NamedSemaphore* semaphore) {
  if (is_foreign(name)) return {EACCES, "sem_open"};
  sem_t* opened = sem_open(name, 0);
  if (opened == SEM_FAILED) return {errno, "sem_open"};
  semaphore->handle = opened;
  return {};
}

}  // namespace holdfast::platform
