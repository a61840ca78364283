// Inside platform/ alone.
#ifndef HOLDFAST_PLATFORM_POSIX_AT_FORK_H
#define HOLDFAST_PLATFORM_POSIX_AT_FORK_H

namespace holdfast::platform {

// From here on each child that is forked calls it first. 0, or an error number.
int call_in_forked_child(void (*handler)());

}  // namespace holdfast::platform

#endif
