#include "platform/posix/process_facts.h"

#include <pthread.h>
#include <sys/sysctl.h>

namespace holdfast::platform {

// In microseconds of the wall clock.
uint64_t start_time_of(uint32_t pid) {
  int name[4] = {CTL_KERN, KERN_PROC, KERN_PROC_PID, static_cast<int>(pid)};
  kinfo_proc info;
  size_t length = sizeof info;
  if (sysctl(name, 4, &info, &length, nullptr, 0) != 0 || length == 0) return 0;
  const timeval started = info.kp_proc.p_starttime;
  return static_cast<uint64_t>(started.tv_sec) * 1'000'000 + static_cast<uint64_t>(started.tv_usec);
}

uint32_t thread_id() {
  uint64_t id = 0;
  pthread_threadid_np(pthread_self(), &id);
  return static_cast<uint32_t>(id);
}

uint32_t pid_namespace() { return 0; }

}  // namespace holdfast::platform
