// A write to a doorbell that has no reader any more raises SIGPIPE, unless somebody sees to it.
#ifndef HOLDFAST_PLATFORM_QUIET_WRITE_H
#define HOLDFAST_PLATFORM_QUIET_WRITE_H

#include <unistd.h>

#include <cerrno>
#include <cstddef>

namespace holdfast::platform {

// Writes as write(2) does. Returns an error number or 0.
inline int write_through(int fd, const void* bytes, size_t length) {
  ssize_t written;
  do {
    written = write(fd, bytes, length);
  } while (written < 0 && errno == EINTR);
  return written < 0 ? errno : 0;
}

// The same at the writing end of a doorbell, without the signal.
int write_quietly(int fd, const void* bytes, size_t length);

}  // namespace holdfast::platform

#endif
