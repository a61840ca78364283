// A write to a doorbell that has no reader any more raises SIGPIPE, unless somebody sees to it.
#ifndef HOLDFAST_PLATFORM_QUIET_WRITE_H
#define HOLDFAST_PLATFORM_QUIET_WRITE_H

#include <cstddef>

namespace holdfast::platform {

// Writes to the writing end of a doorbell, without the signal. Returns an error number or 0.
int write_quietly(int fd, const void* bytes, size_t length);

}  // namespace holdfast::platform

#endif
