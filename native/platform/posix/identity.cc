#include <signal.h>
#include <unistd.h>

#include <cerrno>

#include "platform/platform.h"
#include "platform/posix/process_facts.h"

namespace holdfast::platform {

uint32_t current_pid() { return static_cast<uint32_t>(getpid()); }

Identity current_identity() {
  Identity me;
  me.pid = static_cast<uint32_t>(getpid());
  me.tid = thread_id();
  me.start_time = start_time_of(me.pid);
  me.pid_namespace = pid_namespace();
  return me;
}

uint32_t processor_count() {
  const long count = sysconf(_SC_NPROCESSORS_ONLN);
  return count > 0 ? static_cast<uint32_t>(count) : 1;
}

bool process_exists(const Identity& identity) {
  if (identity.pid_namespace != pid_namespace()) return true;
  if (kill(static_cast<pid_t>(identity.pid), 0) != 0 && errno == ESRCH) return false;
  const uint64_t started = start_time_of(identity.pid);
  return started == 0 || identity.start_time == 0 || started == identity.start_time;
}

}  // namespace holdfast::platform
