// What macOS tells of processes, threads and itself; and fork handlers that it never forgets, so
// that the image which they are in must stay.
#include <dlfcn.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <sys/sysctl.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "stand_in.h"

extern "C" {
void* __real_dlopen(const char* path, int flags);
int __real_pthread_atfork(void (*prepare)(), void (*parent)(), void (*child)());
}

namespace {

std::atomic<bool> is_pinned{false};

// Field 22 of /proc/<pid>/stat, in clock ticks since the boot; 0 if there is no such process.
unsigned long long start_ticks(int pid) {
  char path[32], text[1024];
  snprintf(path, sizeof path, "/proc/%d/stat", pid);
  FILE* file = fopen(path, "re");
  if (file == nullptr) return 0;
  const size_t length = fread(text, 1, sizeof text - 1, file);
  fclose(file);
  text[length] = '\0';
  const char* field = strrchr(text, ')');
  for (int number = 2; number < 22 && field != nullptr; number++) field = strchr(field + 1, ' ');
  return field == nullptr ? 0 : strtoull(field + 1, nullptr, 10);
}

int fail(int errnum) {
  errno = errnum;
  return -1;
}

}  // namespace

extern "C" {

int sysctl(int* name, unsigned length, void* old, size_t* old_length, void*, size_t) {
  const bool known = length == 4 && name[0] == CTL_KERN && name[1] == KERN_PROC &&
                     name[2] == KERN_PROC_PID && *old_length >= sizeof(kinfo_proc);
  if (!known) return fail(EINVAL);
  const unsigned long long ticks = start_ticks(name[3]);
  *old_length = ticks == 0 ? 0 : sizeof(kinfo_proc);
  if (ticks == 0) return 0;  // as XNU does: no error, and nothing there
  const auto per_second = static_cast<unsigned long long>(sysconf(_SC_CLK_TCK));
  timeval& started = static_cast<kinfo_proc*>(old)->kp_proc.p_starttime;
  started.tv_sec = static_cast<time_t>(ticks / per_second);
  started.tv_usec = static_cast<suseconds_t>(ticks % per_second * 1'000'000 / per_second);
  return 0;
}

// The one name that holdfast asks for. Linux has such a UUID, too.
int sysctlbyname(const char* name, void* old, size_t* old_length, void*, size_t) {
  FILE* file = strcmp(name, "kern.bootsessionuuid") == 0
                   ? fopen("/proc/sys/kernel/random/boot_id", "re")
                   : nullptr;
  if (file == nullptr) return fail(ENOENT);
  constexpr size_t kUuid = 36;
  char* text = static_cast<char*>(old);
  const bool fits = *old_length > kUuid && fread(text, 1, kUuid, file) == kUuid;
  fclose(file);
  if (!fits) return fail(ENOMEM);
  text[kUuid] = '\0';
  *old_length = kUuid + 1;
  return 0;
}

int pthread_threadid_np(pthread_t, uint64_t* id) {
  *id = static_cast<uint64_t>(syscall(SYS_gettid));
  return 0;
}

void* __wrap_dlopen(const char* path, int flags) {
  void* image = __real_dlopen(path, flags);
  constexpr int kPin = RTLD_NOLOAD | RTLD_NODELETE;
  if (image != nullptr && (flags & kPin) == kPin) is_pinned = true;
  return image;
}

// Where the program itself is the image, as in the C++ tests, dlopen() does not find it by path.
int __wrap_pthread_atfork(void (*prepare)(), void (*parent)(), void (*child)()) {
  Dl_info image;
  const bool in_library = dladdr(reinterpret_cast<const void*>(child), &image) != 0 &&
                          strstr(image.dli_fname, ".node") != nullptr;
  if (in_library && !is_pinned) {
    fputs("stand-in: a fork handler in an image that may be unloaded\n", stderr);
    abort();
  }
  return __real_pthread_atfork(prepare, parent, child);
}

}  // extern "C"
