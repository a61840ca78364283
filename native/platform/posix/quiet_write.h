// A write to a doorbell that has no reader any more raises SIGPIPE in the thread that writes.
#ifndef HOLDFAST_PLATFORM_QUIET_WRITE_H
#define HOLDFAST_PLATFORM_QUIET_WRITE_H

#include <cstddef>

namespace holdfast::platform {

// Writes to a pipe without the signal. Returns an error number or 0.
int write_quietly(int fd, const void* bytes, size_t length);

// The same with the signal blocked in this thread meanwhile, which takes two more system calls.
int write_masked(int fd, const void* bytes, size_t length);

}  // namespace holdfast::platform

#endif
