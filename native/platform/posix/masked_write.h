// A write with SIGPIPE blocked in this thread meanwhile. It takes two more system calls.
#ifndef HOLDFAST_PLATFORM_MASKED_WRITE_H
#define HOLDFAST_PLATFORM_MASKED_WRITE_H

#include <unistd.h>

#include <cerrno>
#include <cstddef>

#include "signals.h"

namespace holdfast::platform {

inline int write_masked(int fd, const void* bytes, size_t length) {
  return without_signal(SIGPIPE, [&] {
    ssize_t written;
    do {
      written = write(fd, bytes, length);
    } while (written < 0 && errno == EINTR);
    return written < 0 ? errno : 0;
  });
}

}  // namespace holdfast::platform

#endif
