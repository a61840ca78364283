#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "platform/platform.h"
#include "signals.h"

namespace holdfast::platform {

OsError set_length(int fd, uint64_t length) {
  const int errnum = without_signal(
      SIGXFSZ, [&] { return ftruncate(fd, static_cast<off_t>(length)) != 0 ? errno : 0; });
  return errnum != 0 ? OsError{errnum, "ftruncate"} : OsError{};
}

OsError reserve_space(int fd, uint64_t offset, uint64_t length) {
  const int errnum = without_signal(SIGXFSZ, [&] {
    int result;
    do {
      result = posix_fallocate(fd, static_cast<off_t>(offset), static_cast<off_t>(length));
    } while (result == EINTR);
    return result;
  });
  return errnum != 0 ? OsError{errnum, "posix_fallocate"} : OsError{};
}

}  // namespace holdfast::platform
