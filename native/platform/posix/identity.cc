#include <pwd.h>
#include <signal.h>
#include <sys/types.h>
#include <unistd.h>

#include <cerrno>

#include "platform/platform.h"

namespace holdfast::platform {

namespace {

// POSIX does not tell when a process started. Any that answers a null signal is "started at an
// unknown time".
uint64_t start_time_of(uint32_t) { return 0; }
uint32_t thread_id() { return static_cast<uint32_t>(getpid()); }

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

std::string default_directory() {
  // Not the temporary directory: its cleaner would take files away that are in use.
  passwd entry;
  passwd* found = nullptr;
  char buffer[4096];
  if (getpwuid_r(geteuid(), &entry, buffer, sizeof buffer, &found) != 0 || found == nullptr)
    return "";
  return std::string(found->pw_dir) + "/.holdfast";
}

}  // namespace holdfast::platform
