// Files and FIFOs as XNU has them: opening a socket's path is EOPNOTSUPP (vfs_subr.c), a named FIFO
// has room for 8 KiB and says ENOBUFS too when that is used up (fifo_vnops.c, uipc_socket.c),
// SIGPIPE stays away where F_SETNOSIGPIPE says so, and poll(2) tells less (sys_generic.c).
#include <fcntl.h>
#include <linux/magic.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <string>

#include "stand_in.h"

extern "C" {
int __real_open(const char* path, int flags, ...);
int __real_openat(int directory, const char* path, int flags, ...);
int __real_fcntl(int fd, int command, ...);
ssize_t __real_write(int fd, const void* bytes, size_t length);
int __real_poll(pollfd* polled, nfds_t count, int timeout_ms);
size_t __real_confstr(int name, char* into, size_t length);
}

namespace holdfast::test::darwin {

namespace {

constexpr int kFifoBytes = 8192;
std::atomic<bool> without_sigpipe[kDescriptorsMax];
std::atomic<unsigned> full_count{0};

bool is_remembered(int fd) { return fd >= 0 && fd < kDescriptorsMax; }

int opened(int fd, int directory, const char* path, int flags) {
  if (fd < 0 && errno == ENXIO) {
    struct stat facts;
    const bool socket =
        fstatat(directory, path, &facts, AT_SYMLINK_NOFOLLOW) == 0 && S_ISSOCK(facts.st_mode);
    errno = socket ? EOPNOTSUPP : ENXIO;
  }
  if (fd >= 0 && (flags & O_ACCMODE) == O_RDWR && is_named_fifo(fd)) {
    __real_fcntl(fd, F_SETPIPE_SZ, kFifoBytes);
  }
  return fd;
}

// Writes, and takes the signal back that Linux sends to the thread.
ssize_t write_quietly(int fd, const void* bytes, size_t length) {
  sigset_t only, before;
  sigemptyset(&only);
  sigaddset(&only, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &only, &before);
  const ssize_t written = __real_write(fd, bytes, length);
  const int errnum = errno;
  const timespec at_once{0, 0};
  if (written < 0 && errnum == EPIPE) sigtimedwait(&only, nullptr, &at_once);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  errno = errnum;
  return written;
}

}  // namespace

bool is_named_fifo(int fd) {
  struct stat facts;
  struct statfs system;
  return fd >= 0 && fstat(fd, &facts) == 0 && S_ISFIFO(facts.st_mode) &&
         fstatfs(fd, &system) == 0 && system.f_type != PIPEFS_MAGIC;
}

void forget_file(int fd) {
  if (is_remembered(fd)) without_sigpipe[fd] = false;
}

}  // namespace holdfast::test::darwin

using namespace holdfast::test::darwin;

extern "C" {

int __wrap_openat(int directory, const char* path, int flags, ...) {
  va_list list;
  va_start(list, flags);
  const mode_t mode = (flags & O_CREAT) != 0 ? va_arg(list, mode_t) : 0;
  va_end(list);
  return opened(__real_openat(directory, path, flags, mode), directory, path, flags);
}

int __wrap_open(const char* path, int flags, ...) {
  va_list list;
  va_start(list, flags);
  const mode_t mode = (flags & O_CREAT) != 0 ? va_arg(list, mode_t) : 0;
  va_end(list);
  return opened(__real_open(path, flags, mode), AT_FDCWD, path, flags);
}

// What a program with offsets of 64 bits calls. Linux' are the same.
int __wrap_open64(const char* path, int flags, ...) __attribute__((alias("__wrap_open")));
int __wrap_openat64(int directory, const char* path, int flags, ...)
    __attribute__((alias("__wrap_openat")));

int __wrap_fcntl(int fd, int command, ...) {
  va_list list;
  va_start(list, command);
  void* argument = va_arg(list, void*);
  va_end(list);
  if (command != F_SETNOSIGPIPE) return __real_fcntl(fd, command, argument);
  if (is_remembered(fd)) without_sigpipe[fd] = argument != nullptr;
  return 0;
}
int __wrap_fcntl64(int fd, int command, ...) __attribute__((alias("__wrap_fcntl")));

ssize_t __wrap_write(int fd, const void* bytes, size_t length) {
  const bool quiet = is_remembered(fd) && without_sigpipe[fd];
  const ssize_t written =
      quiet ? write_quietly(fd, bytes, length) : __real_write(fd, bytes, length);
  if (written < 0 && errno == EAGAIN && is_named_fifo(fd)) {
    errno = full_count++ % 2 == 0 ? ENOBUFS : EAGAIN;
  }
  return written;
}

// Nothing is registered for a descriptor of which no event is asked, and a reader that goes posts
// no event.
int __wrap_poll(pollfd* polled, nfds_t count, int timeout_ms) {
  constexpr nfds_t kMost = 256;
  if (count > kMost) return __real_poll(polled, count, timeout_ms);
  pollfd registered[kMost];
  for (nfds_t i = 0; i < count; i++) {
    registered[i] = polled[i];
    const bool asked = (polled[i].events & POLLIN) != 0;
    if (polled[i].events == 0 || (!asked && is_named_fifo(polled[i].fd))) registered[i].fd = -1;
  }
  const int result = __real_poll(registered, count, timeout_ms);
  int ready = 0;
  for (nfds_t i = 0; i < count; i++) {
    polled[i].revents = registered[i].fd < 0 ? short{0} : registered[i].revents;
    if (is_named_fifo(polled[i].fd)) {
      polled[i].revents = static_cast<short>(polled[i].revents & ~(POLLHUP | POLLERR));
    }
    ready += polled[i].revents != 0 ? 1 : 0;
  }
  return result < 0 ? result : ready;
}

// The user's own directory, which the system makes: here it is the home.
size_t __wrap_confstr(int name, char* into, size_t length) {
  if (name != _CS_DARWIN_USER_DIR) return __real_confstr(name, into, length);
  passwd entry;
  passwd* found = nullptr;
  char buffer[4096];
  if (getpwuid_r(geteuid(), &entry, buffer, sizeof buffer, &found) != 0 || found == nullptr) {
    return 0;
  }
  return static_cast<size_t>(snprintf(into, length, "%s/", found->pw_dir)) + 1;
}

}  // extern "C"
