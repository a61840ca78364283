#include <pthread.h>
#include <signal.h>
#include <sys/sysctl.h>
#include <unistd.h>

#include <cerrno>

#include "platform/platform.h"

namespace holdfast::platform {

namespace {

// In microseconds of the wall clock; 0 if there is no such process.
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

}  // namespace

uint32_t current_pid() { return static_cast<uint32_t>(getpid()); }

Identity current_identity() {
  Identity me;
  me.pid = static_cast<uint32_t>(getpid());
  me.tid = thread_id();
  me.start_time = start_time_of(me.pid);
  return me;
}

uint32_t processor_count() {
  const long count = sysconf(_SC_NPROCESSORS_ONLN);
  return count > 0 ? static_cast<uint32_t>(count) : 1;
}

bool process_exists(const Identity& identity) {
  if (kill(static_cast<pid_t>(identity.pid), 0) != 0 && errno == ESRCH) return false;
  const uint64_t started = start_time_of(identity.pid);
  return started == 0 || identity.start_time == 0 || started == identity.start_time;
}

// The user's own directory that the system makes on demand, for daemons and for root as well, that
// no cleaner empties and no backup copies. `~/Library` is missing where a user has no home.
std::string default_directory() {
  char directory[1024];
  const size_t length = confstr(_CS_DARWIN_USER_DIR, directory, sizeof directory);
  if (length == 0 || length > sizeof directory) return "";
  return std::string(directory) + "holdfast";  // it ends with a slash
}

}  // namespace holdfast::platform
