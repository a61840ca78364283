// A semaphore of macOS is a descriptor of the process, and a sem_t* is its number. It has no file.
#include <fcntl.h>
#include <libproc.h>
#include <semaphore.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

#include "platform/platform.h"

namespace holdfast::platform {

namespace {

int descriptor_of(sem_t* semaphore) {
  return static_cast<int>(reinterpret_cast<intptr_t>(semaphore));
}

OsError open_it(sem_t* opened, NamedSemaphore* semaphore) {
  if (opened == SEM_FAILED) return {errno, "sem_open"};
  fcntl(descriptor_of(opened), F_SETFD, FD_CLOEXEC);  // sem_open does not
  semaphore->handle = opened;
  return {};
}

// One that another user has made with mode 0666 can be opened. Only its owner's number tells.
bool is_foreign(sem_t* semaphore) {
  psem_fdinfo info;
  const int size =
      proc_pidfdinfo(getpid(), descriptor_of(semaphore), PROC_PIDFDPSEMINFO, &info, sizeof info);
  return size < static_cast<int>(sizeof info) || info.pseminfo.psem_stat.vst_uid != geteuid();
}

}  // namespace

OsError create_semaphore(const char* name, uint32_t value, NamedSemaphore* semaphore) {
  return open_it(sem_open(name, O_CREAT | O_EXCL, 0600, value), semaphore);
}

OsError open_semaphore(const char* name, NamedSemaphore* semaphore) {
  sem_t* opened = sem_open(name, 0);
  if (opened != SEM_FAILED && is_foreign(opened)) {
    sem_close(opened);
    return {EACCES, "sem_open"};
  }
  return open_it(opened, semaphore);
}

// Nobody can list them, and nobody can remove one by hand.
uint64_t semaphore_inode(const char*) { return 0; }
std::string semaphore_space() { return ""; }
const char* semaphore_directory() { return nullptr; }
void keep_semaphore(const char*) {}
bool is_kept_semaphore(const char*) { return true; }
std::vector<std::string> list_semaphores(const char*) { return {}; }

}  // namespace holdfast::platform
