// fork(2) without exec(2), as a foreign add-on may do it. The child has a copy of every descriptor,
// and what ends with a descriptor (a doorbell's reader, a flock) would last for as long as the
// child. All are close-on-exec, so a child that executes another program only loses them a little
// sooner.
#include <fcntl.h>
#include <unistd.h>

#include <atomic>

#include "platform/platform.h"
#include "platform/posix/at_fork.h"

namespace holdfast::platform {

namespace {

constexpr size_t kKeptMax = 4096 + 64;  // all agents that there can be, and the directory
std::atomic<int> kept[kKeptMax];        // descriptor + 1; 0: free
std::atomic<size_t> kept_count{0};      // places that were ever in use

// Between fork and exec only what is safe in a signal handler is safe: no lock, no memory.
void in_child() {
  for (size_t i = 0; i < kept_count; i++) {
    if (const int fd = kept[i].exchange(0) - 1; fd >= 0) close(fd);
  }
}

}  // namespace

void keep_from_forks(int fd) {
  static const int registered = call_in_forked_child(in_child);
  (void)registered;
  for (size_t i = 0; i < kKeptMax; i++) {
    int free = 0;
    if (!kept[i].compare_exchange_strong(free, fd + 1)) continue;
    for (size_t count = kept_count;
         count <= i && !kept_count.compare_exchange_weak(count, i + 1);) {
    }
    return;
  }
}

int copy_for_child(int fd) {
  constexpr int kLowest = 200;
  return fcntl(fd, F_DUPFD_CLOEXEC, kLowest);
}

void close_descriptor(int fd) {
  for (size_t i = 0; i < kept_count; i++) {
    int known = fd + 1;
    kept[i].compare_exchange_strong(known, 0);
  }
  close(fd);
}

}  // namespace holdfast::platform
