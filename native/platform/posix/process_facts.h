// What current_identity() and process_exists() ask the system.
#ifndef HOLDFAST_PLATFORM_PROCESS_FACTS_H
#define HOLDFAST_PLATFORM_PROCESS_FACTS_H

#include <cstdint>

namespace holdfast::platform {

uint64_t start_time_of(uint32_t pid);  // 0 if there is no such process, or it cannot be known
uint32_t thread_id();                  // of the calling thread
uint32_t pid_namespace();              // of this process; 0 where there are no namespaces

}  // namespace holdfast::platform

#endif
