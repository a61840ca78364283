#include "platform/posix/process_facts.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace holdfast::platform {

// Field 22 of stat, in clock ticks since boot (proc(5)). The command name in field 2 may hold
// spaces and parentheses, so count from the last closing one. 0 without a /proc.
//
// The first thread of a process started when the process did. /proc/<pid>/stat says the same, but
// qemu-user answers it itself when a process asks about itself, with another time.
uint64_t start_time_of(uint32_t pid) {
  char path[48];
  snprintf(path, sizeof path, "/proc/%u/task/%u/stat", pid, pid);
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

uint32_t thread_id() { return static_cast<uint32_t>(syscall(SYS_gettid)); }

uint32_t pid_namespace() {
  struct stat facts;
  return stat("/proc/self/ns/pid", &facts) == 0 ? static_cast<uint32_t>(facts.st_ino) : 0;
}

}  // namespace holdfast::platform
