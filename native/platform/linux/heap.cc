#include "platform/heap.h"

#ifdef __GLIBC__
#include <fcntl.h>
#include <malloc.h>
#include <unistd.h>

#include <atomic>
#include <string>
#include <string_view>
#endif

namespace holdfast::platform {

#ifdef __GLIBC__

namespace {

constexpr size_t kMany = 16 << 20;  // bytes, after which large blocks are what this process does
constexpr int kKept = 64 << 20;     // V8 collects about so many bytes at once
constexpr int kLargestKept = 32 << 20;  // the largest M_MMAP_THRESHOLD that there is

std::atomic<size_t> bytes_of_blocks{0};

// Did somebody choose how the heap of this process gives memory back? glibc reads the environment
// of the start, too. Each variable in it begins behind a NUL.
bool is_tuned() {
  const int fd = open("/proc/self/environ", O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  std::string environment(1, '\0');
  char some[4096];
  ssize_t length;
  while ((length = read(fd, some, sizeof some)) > 0) {
    environment.append(some, static_cast<size_t>(length));
  }
  close(fd);
  const auto has = [&environment](std::string_view text) {
    return environment.find(text) != std::string::npos;
  };
  using namespace std::string_view_literals;
  return has("\0MALLOC_TRIM_THRESHOLD_="sv) || has("\0MALLOC_MMAP_THRESHOLD_="sv) ||
         has("glibc.malloc.trim_threshold="sv) || has("glibc.malloc.mmap_threshold="sv);
}

}  // namespace

// By itself glibc keeps at most twice as much as the largest block was that has been freed.
void foresee_large_block(size_t bytes) {
  const size_t before = bytes_of_blocks.fetch_add(bytes, std::memory_order_relaxed);
  if (before >= kMany || before + bytes < kMany || is_tuned()) return;
  // Other threads may use the heap meanwhile. They read each of the two numbers as a whole.
  mallopt(M_MMAP_THRESHOLD, kLargestKept);  // NOLINT(concurrency-mt-unsafe)
  mallopt(M_TRIM_THRESHOLD, kKept);         // NOLINT(concurrency-mt-unsafe)
}

#else

void foresee_large_block(size_t /*bytes*/) {}

#endif

}  // namespace holdfast::platform
