#include "quiet_write.h"

#include <unistd.h>

#include <cerrno>

namespace holdfast::platform {

// open_doorbell() has told the kernel to raise no signal.
int write_quietly(int fd, const void* bytes, size_t length) {
  ssize_t written;
  do {
    written = write(fd, bytes, length);
  } while (written < 0 && errno == EINTR);
  return written < 0 ? errno : 0;
}

}  // namespace holdfast::platform
