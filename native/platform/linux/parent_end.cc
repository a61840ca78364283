#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "platform/parent.h"

namespace holdfast::platform {

namespace {

constexpr long kPidfdOpen = 434;  // on every processor; old headers lack it

}  // namespace

// poll() is only a sign: a program may close descriptors that are not its own. So the end looks
// whether it is so. The descriptor stays open, because this process ends as well.
void wait_for_parent_end(uint32_t pid) {
  const int process = static_cast<int>(syscall(kPidfdOpen, pid, 0));
  // It is the parent that was opened, and not a later process of that id, if it is the parent now.
  if (process >= 0 && is_parent(pid)) {
    pollfd ended{process, POLLIN, 0};
    while (poll(&ended, 1, -1) < 0 && errno == EINTR) {
    }
  }
  poll_for_parent(pid);  // at once, unless the kernel is older than 5.3
}

}  // namespace holdfast::platform
