#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>

#include "platform/platform.h"

namespace holdfast::platform {

namespace {

// The kernel sends SIGXFSZ to the process, so that a thread cannot keep it off by its mask. So no
// call is made that would go beyond the limit.
bool is_beyond_limit(uint64_t end) {
  rlimit limit;
  return getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY &&
         end > limit.rlim_cur;
}

}  // namespace

OsError set_length(int fd, uint64_t length) {
  if (is_beyond_limit(length)) return {EFBIG, "ftruncate"};
  return ftruncate(fd, static_cast<off_t>(length)) != 0 ? OsError{errno, "ftruncate"} : OsError{};
}

// There is no posix_fallocate, and F_PREALLOCATE does not fill holes. Writing does.
OsError reserve_space(int fd, uint64_t offset, uint64_t length) {
  static const char zeros[65536] = {};
  const uint64_t end = offset + length;
  if (is_beyond_limit(end)) return {EFBIG, "pwrite"};
  while (offset < end) {
    const uint64_t left = end - offset;
    const auto part = static_cast<size_t>(left < sizeof zeros ? left : sizeof zeros);
    const ssize_t written = pwrite(fd, zeros, part, static_cast<off_t>(offset));
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return {errno, "pwrite"};
    offset += static_cast<uint64_t>(written);
  }
  return {};
}

}  // namespace holdfast::platform
