// Named semaphores as XNU has them (posix_sem.c): names of at most 31 bytes with the NUL, a sem_t*
// that is the number of a descriptor, no descriptor that closes itself at exec(2), no umask, and an
// owner that only proc_pidfdinfo(2) tells.
#include <fcntl.h>
#include <libproc.h>
#include <semaphore.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdarg>
#include <cstdint>
#include <cstring>
#include <string>

#include "stand_in.h"

extern "C" {
sem_t* __real_sem_open(const char* name, int flags, ...);
int __real_sem_close(sem_t* semaphore);
int __real_sem_unlink(const char* name);
int __real_sem_trywait(sem_t* semaphore);
int __real_sem_post(sem_t* semaphore);
int __real_close(int fd);
int __real_open(const char* path, int flags, ...);
}

namespace holdfast::test::darwin {

namespace {

constexpr size_t kNameMax = 31;

// By descriptor. Linux' semaphore; kNone if its file is none, which is another user's trap.
std::atomic<sem_t*> opened[kDescriptorsMax];
sem_t none;

int fail(int errnum) {
  errno = errnum;
  return -1;
}

sem_t* handle_of(int fd) { return reinterpret_cast<sem_t*>(static_cast<intptr_t>(fd)); }

// The semaphore behind a handle; nullptr and EBADF if it is no handle.
sem_t* semaphore_of(sem_t* handle) {
  const auto fd = reinterpret_cast<intptr_t>(handle);
  sem_t* semaphore = fd >= 0 && fd < kDescriptorsMax ? opened[fd].load() : nullptr;
  if (semaphore == nullptr) errno = EBADF;
  return semaphore;
}

}  // namespace

}  // namespace holdfast::test::darwin

using namespace holdfast::test::darwin;

extern "C" {

sem_t* __wrap_sem_open(const char* name, int flags, ...) {
  va_list list;
  va_start(list, flags);
  const mode_t mode = (flags & O_CREAT) != 0 ? va_arg(list, mode_t) : 0;
  const unsigned value = (flags & O_CREAT) != 0 ? va_arg(list, unsigned) : 0;
  va_end(list);
  if (strlen(name) + 1 > kNameMax) {
    errno = ENAMETOOLONG;
    return SEM_FAILED;
  }
  const std::string path = std::string("/dev/shm/sem.") + (name + 1);
  sem_t* semaphore = (flags & O_CREAT) != 0 ? __real_sem_open(name, flags, mode, value)
                                            : __real_sem_open(name, flags);
  if (semaphore == SEM_FAILED) {
    struct stat facts;
    const int errnum = errno;
    // What lies there in its place is no file on macOS, but a semaphore of another user.
    const bool planted = (flags & O_CREAT) == 0 && errnum != EACCES && errnum != ENOENT &&
                         errnum != EMFILE && lstat(path.c_str(), &facts) == 0 &&
                         facts.st_uid != geteuid();
    errno = errnum;
    if (!planted) return SEM_FAILED;
    semaphore = &none;
  }
  if ((flags & O_CREAT) != 0) chmod(path.c_str(), mode);
  const int fd = __real_open(path.c_str(), O_PATH | O_NOFOLLOW);
  if (fd < 0 || fd >= kDescriptorsMax) {
    const int errnum = fd < 0 ? errno : EMFILE;
    if (fd >= 0) __real_close(fd);
    if (semaphore != &none) __real_sem_close(semaphore);
    if ((flags & O_EXCL) != 0) __real_sem_unlink(name);
    errno = errnum;
    return SEM_FAILED;
  }
  opened[fd] = semaphore;
  return handle_of(fd);
}

int __wrap_sem_close(sem_t* handle) {
  sem_t* semaphore = semaphore_of(handle);
  if (semaphore == nullptr) return -1;
  const auto fd = static_cast<int>(reinterpret_cast<intptr_t>(handle));
  opened[fd] = nullptr;
  if (semaphore != &none) __real_sem_close(semaphore);
  return __real_close(fd);
}

int __wrap_sem_trywait(sem_t* handle) {
  sem_t* semaphore = semaphore_of(handle);
  return semaphore == nullptr ? -1 : __real_sem_trywait(semaphore);
}

int __wrap_sem_post(sem_t* handle) {
  sem_t* semaphore = semaphore_of(handle);
  return semaphore == nullptr ? -1 : __real_sem_post(semaphore);
}

int __wrap_sem_unlink(const char* name) {
  return strlen(name) + 1 > kNameMax ? fail(ENAMETOOLONG) : __real_sem_unlink(name);
}

int proc_pidfdinfo(int pid, int fd, int flavor, void* into, int size) {
  if (pid != getpid() || flavor != PROC_PIDFDPSEMINFO) return fail(EINVAL);
  struct stat facts;
  if (semaphore_of(handle_of(fd)) == nullptr || fstat(fd, &facts) != 0) return fail(EBADF);
  if (size < static_cast<int>(sizeof(psem_fdinfo))) return fail(ENOMEM);
  static_cast<psem_fdinfo*>(into)->pseminfo.psem_stat.vst_uid = facts.st_uid;
  return static_cast<int>(sizeof(psem_fdinfo));
}

}  // extern "C"
