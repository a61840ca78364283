#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "platform/platform.h"
#include "timed_waits.h"

namespace holdfast::platform {

namespace {

// futex(2). libc has no function for it, and musl does not bring the kernel's header.
constexpr int kWaitBitset = 9;
constexpr int kWakeBitset = 10;

// The kernel reads the word as a plain number.
static_assert(sizeof(std::atomic<uint32_t>) == sizeof(uint32_t));

}  // namespace

bool sleep_while(const std::atomic<uint32_t>& word, uint32_t value, uint32_t groups,
                 int64_t deadline_ns) {
  // This operation takes a deadline of CLOCK_MONOTONIC, not a span.
  const timespec deadline = timespec_of(deadline_ns);
  const long result = syscall(SYS_futex, &word, kWaitBitset, value, &deadline, nullptr, groups);
  return result == 0 || errno != ETIMEDOUT;
}

bool wake_sleepers(std::atomic<uint32_t>& word, uint32_t groups, int32_t count) {
  return syscall(SYS_futex, &word, kWakeBitset, count, nullptr, nullptr, groups) > 0;
}

}  // namespace holdfast::platform
