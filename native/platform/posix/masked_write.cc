#include <unistd.h>

#include <cerrno>

#include "quiet_write.h"
#include "signals.h"

namespace holdfast::platform {

int write_masked(int fd, const void* bytes, size_t length) {
  return without_signal(SIGPIPE, [&] {
    ssize_t written;
    do {
      written = write(fd, bytes, length);
    } while (written < 0 && errno == EINTR);
    return written < 0 ? errno : 0;
  });
}

}  // namespace holdfast::platform
