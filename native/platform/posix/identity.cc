#include <pwd.h>
#include <signal.h>
#include <sys/types.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#ifdef __APPLE__
#include <pthread.h>
#include <sys/sysctl.h>
#else
#include <pthread.h>
#endif

#include "platform/platform.h"

namespace holdfast::platform {

namespace {

#ifdef __APPLE__
uint64_t start_time_of(uint32_t pid) {
  int mib[4] = {CTL_KERN, KERN_PROC, KERN_PROC_PID, static_cast<int>(pid)};
  kinfo_proc info;
  size_t length = sizeof info;
  if (sysctl(mib, 4, &info, &length, nullptr, 0) != 0 || length == 0) return 0;
  const timeval started = info.kp_proc.p_starttime;
  return static_cast<uint64_t>(started.tv_sec) * 1'000'000 + static_cast<uint64_t>(started.tv_usec);
}

uint32_t thread_id() {
  uint64_t tid = 0;
  pthread_threadid_np(nullptr, &tid);
  return static_cast<uint32_t>(tid);
}
#else
// The build that stands in for macOS in tests: any process that answers a null signal is "started
// at an unknown time", as on a system that will not tell.
uint64_t start_time_of(uint32_t) { return 0; }
uint32_t thread_id() { return static_cast<uint32_t>(getpid()); }
#endif

}  // namespace

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

std::string default_directory() {
  // Not the temporary directory: its cleaner would take files away that are in use.
  passwd entry;
  passwd* found = nullptr;
  char buffer[4096];
  if (getpwuid_r(geteuid(), &entry, buffer, sizeof buffer, &found) != 0 || found == nullptr)
    return "";
#ifdef __APPLE__
  return std::string(found->pw_dir) + "/Library/Application Support/holdfast";
#else
  return std::string(found->pw_dir) + "/.holdfast";
#endif
}

}  // namespace holdfast::platform
