// What platform.h is for everything else, for the process that started this one.
#ifndef HOLDFAST_PLATFORM_PARENT_H
#define HOLDFAST_PLATFORM_PARENT_H

#include <cstdint>

namespace holdfast::platform {

// Blocks until the process `pid` is no longer the parent of this one.
void wait_for_parent_end(uint32_t pid);

// Is it now? After the end of its parent the system gives a process to another one.
bool is_parent(uint32_t pid);

// wait_for_parent_end() where the system tells of no end: looks every half a second.
void poll_for_parent(uint32_t pid);

void kill_this_process();  // SIGKILL

}  // namespace holdfast::platform

#endif
