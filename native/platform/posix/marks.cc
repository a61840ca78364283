// The byte that a mark locks says two things: the place, and which process it is. So the answer to
// "who is in the way of a lock on the whole place" is a pid, which the kernel does not tell of a
// lock that belongs to an open file description. Those of processes (F_SETLK) would tell it, but
// they end when their process closes any descriptor of the same file.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "platform/platform.h"

namespace holdfast::platform {

namespace {

constexpr uint64_t kPidCount = uint64_t{1} << 22;  // Linux' largest; macOS has fewer

#ifdef F_OFD_SETLK
constexpr int kSet = F_OFD_SETLK;
constexpr int kGet = F_OFD_GETLK;
#endif

uint64_t first_byte_of(uint64_t place) { return (place % kMarkPlaces) * kPidCount; }

#ifdef F_OFD_SETLK
OsError change_mark(int fd, uint64_t place, short type) {
  struct flock lock = {};
  lock.l_type = type;
  lock.l_whence = SEEK_SET;
  lock.l_start = static_cast<off_t>(first_byte_of(place) + static_cast<uint64_t>(getpid()));
  lock.l_len = 1;
  return fcntl(fd, kSet, &lock) != 0 ? OsError{errno, "fcntl"} : OsError{};
}
#else
OsError change_mark(int, uint64_t, short) { return {ENOTSUP, "fcntl"}; }
#endif

}  // namespace

OsError open_for_marks(const char* path, int* fd) {
  *fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (*fd < 0) return {errno, "open"};
  keep_from_forks(*fd);
  return {};
}

OsError place_mark(int fd, uint64_t place) { return change_mark(fd, place, F_RDLCK); }

void remove_mark(int fd, uint64_t place) { change_mark(fd, place, F_UNLCK); }

std::vector<uint32_t> marks_of_others(int fd, uint64_t place) {
  std::vector<uint32_t> pids;
#ifdef F_OFD_SETLK
  const uint64_t first = first_byte_of(place);
  for (uint64_t pid = 0; pid < kPidCount; pid++) {
    struct flock lock = {};
    lock.l_type = F_WRLCK;  // a question only, so the file need not be open for writing
    lock.l_whence = SEEK_SET;
    lock.l_start = static_cast<off_t>(first + pid);
    lock.l_len = static_cast<off_t>(kPidCount - pid);
    if (fcntl(fd, kGet, &lock) != 0 || lock.l_type == F_UNLCK) break;
    // Other programs may lock what they like: it is a mark only if it is one byte.
    const uint64_t found = static_cast<uint64_t>(lock.l_start) - first;
    if (lock.l_len != 1 || found < pid || found >= kPidCount) break;
    pids.push_back(static_cast<uint32_t>(found));
    pid = found;
  }
#else
  static_cast<void>(fd);
  static_cast<void>(place);
#endif
  return pids;
}

uint64_t mount_namespace() {
  struct stat facts;
  return stat("/proc/self/ns/mnt", &facts) == 0 ? facts.st_ino : 0;
}

}  // namespace holdfast::platform
