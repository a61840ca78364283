#include "host.h"

#include <cerrno>

#ifdef __linux__

#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <string>

namespace holdfast::test::host {

void die_with_parent() { prctl(PR_SET_PDEATHSIG, SIGKILL); }

void adopt_orphans() { prctl(PR_SET_CHILD_SUBREAPER, 1); }

int enter_new_pid_namespace() { return unshare(CLONE_NEWPID) != 0 ? errno : 0; }

int mount_private_tmpfs(const char* path, size_t bytes) {
  if (unshare(CLONE_NEWNS) != 0) return errno;
  if (mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return errno;
  const std::string options = "mode=0700,size=" + std::to_string(bytes);
  return mount("holdfast-test", path, "tmpfs", 0, options.c_str()) != 0 ? errno : 0;
}

int announce_robust_mutex(void* mutex) {
  robust_list_head* head = nullptr;
  size_t length = 0;
  if (syscall(SYS_get_robust_list, 0, &head, &length) != 0) return errno;
  auto* storage = static_cast<pthread_mutex_t*>(mutex);
  head->list_op_pending = reinterpret_cast<robust_list*>(&storage->__data.__list.__next);
  return 0;
}

}  // namespace holdfast::test::host

#else

namespace holdfast::test::host {

void die_with_parent() {}
void adopt_orphans() {}
int enter_new_pid_namespace() { return ENOSYS; }
int mount_private_tmpfs(const char*, size_t) { return ENOSYS; }
int announce_robust_mutex(void*) { return ENOSYS; }

}  // namespace holdfast::test::host

#endif
