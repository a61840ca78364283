#include "host.h"

#include <cerrno>

namespace holdfast::test::host {

#ifdef HOLDFAST_EMULATED
bool is_emulated() { return true; }
#else
bool is_emulated() { return false; }
#endif

}  // namespace holdfast::test::host

#ifdef __linux__

#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <string>

#include "support.h"

namespace holdfast::test::host {

void die_with_parent() { prctl(PR_SET_PDEATHSIG, SIGKILL); }

bool adopt_orphans() { return prctl(PR_SET_CHILD_SUBREAPER, 1) == 0; }

// Raw system calls: this process and the other one have one thread's state between them. Until it
// has closed its descriptors, the other one has the locks of this one's files.
pid_t keep_memory() {
  alignas(16) static char stack[64 << 10];
  static std::atomic<bool> has_closed{false};
  const auto wait_for_the_end = [](void*) -> int {
    syscall(SYS_close_range, 0, ~0u, 0);
    has_closed = true;
    timespec longest{20, 0};
    syscall(SYS_ppoll, nullptr, 0, &longest, nullptr, 0);
    syscall(SYS_exit, 0);
    return 0;
  };
  const pid_t other = clone(wait_for_the_end, stack + sizeof stack, CLONE_VM | SIGCHLD, nullptr);
  if (other > 0) EVENTUALLY(has_closed.load());
  return other;
}

int enter_new_pid_namespace() { return unshare(CLONE_NEWPID) != 0 ? errno : 0; }

int mount_private_tmpfs(const char* path, size_t bytes) {
  if (unshare(CLONE_NEWNS) != 0) return errno;
  if (mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return errno;
  const std::string options = "mode=0700,size=" + std::to_string(bytes);
  return mount("holdfast-test", path, "tmpfs", 0, options.c_str()) != 0 ? errno : 0;
}

}  // namespace holdfast::test::host

#else

namespace holdfast::test::host {

void die_with_parent() {}
bool adopt_orphans() { return false; }
pid_t keep_memory() { return -1; }
int enter_new_pid_namespace() { return ENOSYS; }
int mount_private_tmpfs(const char*, size_t) { return ENOSYS; }

}  // namespace holdfast::test::host

#endif
