#include <sys/event.h>

#include <cerrno>

#include "platform/parent.h"

namespace holdfast::platform {

namespace {

bool watch_end(int queue, uint32_t pid) {
  struct kevent asked;
  EV_SET(&asked, static_cast<uintptr_t>(pid), EVFILT_PROC, EV_ADD, NOTE_EXIT, 0, nullptr);
  return queue >= 0 && kevent(queue, &asked, 1, nullptr, 0, nullptr) == 0;
}

}  // namespace

// kevent() is only a sign: a program may close descriptors that are not its own. So the end looks
// whether it is so. The descriptor stays open, because this process ends as well.
void wait_for_parent_end(uint32_t pid) {
  const int queue = kqueue();
  // It is the parent that is watched, and not a later process of that id, if it is the parent now.
  if (watch_end(queue, pid) && is_parent(pid)) {
    struct kevent ended;
    while (kevent(queue, nullptr, 0, &ended, 1, nullptr) < 0 && errno == EINTR) {
    }
  }
  poll_for_parent(pid);
}

}  // namespace holdfast::platform
