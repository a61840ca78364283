#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "platform/platform.h"

namespace holdfast::platform {

namespace {

// Field 22 of /proc/<pid>/stat, in clock ticks since boot (proc(5)). The command name in field 2
// may hold spaces and parentheses, so count from the last closing one. 0 without a /proc.
uint64_t start_time_of(uint32_t pid) {
  char path[32];
  snprintf(path, sizeof path, "/proc/%u/stat", pid);
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return 0;
  char text[1024];
  const ssize_t length = read(fd, text, sizeof text - 1);
  close(fd);
  if (length <= 0) return 0;
  text[length] = '\0';
  const char* field = strrchr(text, ')');
  if (field == nullptr) return 0;
  for (int number = 2; number < 22; number++) {
    field = strchr(field + 1, ' ');
    if (field == nullptr) return 0;
  }
  return strtoull(field + 1, nullptr, 10);
}

uint32_t pid_namespace() {
  struct stat facts;
  return stat("/proc/self/ns/pid", &facts) == 0 ? static_cast<uint32_t>(facts.st_ino) : 0;
}

}  // namespace

uint32_t current_pid() { return static_cast<uint32_t>(getpid()); }

Identity current_identity() {
  Identity me;
  me.pid = static_cast<uint32_t>(getpid());
  me.tid = static_cast<uint32_t>(syscall(SYS_gettid));
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

std::string default_directory() { return "/dev/shm/holdfast-" + std::to_string(geteuid()); }

}  // namespace holdfast::platform
