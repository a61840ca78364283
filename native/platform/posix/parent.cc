#include "platform/parent.h"

#include <signal.h>
#include <unistd.h>

#include "platform/platform.h"

namespace holdfast::platform {

namespace {

constexpr int64_t kLook_ns = 500 * kNanosPerMilli;

}  // namespace

bool is_parent(uint32_t pid) { return static_cast<uint32_t>(getppid()) == pid; }

void poll_for_parent(uint32_t pid) {
  while (is_parent(pid)) sleep_ns(kLook_ns);
}

void kill_this_process() { kill(getpid(), SIGKILL); }

}  // namespace holdfast::platform
