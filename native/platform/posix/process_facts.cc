// POSIX does not tell when a process started, and does not number threads.
#include "platform/posix/process_facts.h"

#include <unistd.h>

namespace holdfast::platform {

uint64_t start_time_of(uint32_t) { return 0; }
uint32_t thread_id() { return static_cast<uint32_t>(getpid()); }
uint32_t pid_namespace() { return 0; }

}  // namespace holdfast::platform
