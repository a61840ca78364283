// A write with SIGPIPE blocked in this thread meanwhile. It takes two more system calls.
#ifndef HOLDFAST_PLATFORM_MASKED_WRITE_H
#define HOLDFAST_PLATFORM_MASKED_WRITE_H

#include "quiet_write.h"
#include "signals.h"

namespace holdfast::platform {

inline int write_masked(int fd, const void* bytes, size_t length) {
  return without_signal(SIGPIPE, [&] { return write_through(fd, bytes, length); });
}

}  // namespace holdfast::platform

#endif
