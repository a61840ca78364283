#include "quiet_write.h"

#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>

#include "masked_write.h"

namespace holdfast::platform {

namespace {

constexpr int kNoSignal = 0x100;  // RWF_NOSIGNAL of Linux 6.18; older headers lack it

#ifdef SYS_pwritev2
constexpr long kPwritev2 = SYS_pwritev2;
#else
constexpr long kPwritev2 = -1;  // no such call: ENOSYS
#endif

}  // namespace

// Older kernels refuse the flag, and a sandbox may refuse the call. Then nothing was written. Any
// error that the other way cannot have is taken for that.
int write_quietly(int fd, const void* bytes, size_t length) {
  static std::atomic<bool> is_refused{false};
  if (!is_refused.load(std::memory_order_relaxed)) {
    const iovec one{const_cast<void*>(bytes), length};
    constexpr long kHere = -1;  // a pipe has no offset
    long written;
    do {
      written = syscall(kPwritev2, fd, &one, 1, kHere, kHere, kNoSignal);
    } while (written < 0 && errno == EINTR);
    if (written >= 0) return 0;
    if (errno == EPIPE || errno == EAGAIN) return errno;
    is_refused.store(true, std::memory_order_relaxed);
  }
  return write_masked(fd, bytes, length);
}

}  // namespace holdfast::platform
