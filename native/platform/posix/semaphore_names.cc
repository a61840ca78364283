#include <fcntl.h>
#include <semaphore.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "platform/platform.h"
#include "signals.h"

namespace holdfast::platform {

namespace {

// The C library keeps a semaphore in a file of this directory, called so and by its name.
constexpr const char* kDirectory = "/dev/shm";
#ifdef __GLIBC__
constexpr const char* kFilePrefix = "sem.";
#else
constexpr const char* kFilePrefix = "";  // musl
#endif

std::string file_of(const char* name) {
  return std::string(kDirectory) + "/" + kFilePrefix + (name + 1);
}

// A semaphore's file may be longer than what is in it.
constexpr off_t kKeptLength = 2 * sizeof(sem_t);

// Everybody may put such a file there; but nobody can replace ours, because the directory is
// sticky.
bool is_foreign(const char* name) {
  struct stat facts;
  return lstat(file_of(name).c_str(), &facts) == 0 &&
         (facts.st_uid != geteuid() || !S_ISREG(facts.st_mode));
}

}  // namespace

OsError create_semaphore(const char* name, uint32_t value, NamedSemaphore* semaphore) {
  sem_t* opened = SEM_FAILED;
  const int errnum = without_signal(SIGXFSZ, [&] {
    opened = sem_open(name, O_CREAT | O_EXCL, 0600, value);
    return opened == SEM_FAILED ? errno : 0;
  });
  if (errnum != 0) return {errnum, "sem_open"};
  chmod(file_of(name).c_str(), 0600);  // whatever the umask has taken from it
  semaphore->handle = opened;
  return {};
}

OsError open_semaphore(const char* name, NamedSemaphore* semaphore) {
  if (is_foreign(name)) return {EACCES, "sem_open"};
  sem_t* opened = sem_open(name, 0);
  if (opened == SEM_FAILED) return {errno, "sem_open"};
  semaphore->handle = opened;
  return {};
}

uint64_t semaphore_inode(const char* name) {
  struct stat facts;
  return lstat(file_of(name).c_str(), &facts) == 0 ? facts.st_ino : 0;
}

std::string semaphore_space() {
  struct stat facts;
  if (stat(kDirectory, &facts) != 0) return "";
  return std::to_string(facts.st_dev) + ":" + std::to_string(facts.st_ino);
}

const char* semaphore_directory() { return kDirectory; }

void keep_semaphore(const char* name) {
  // Where that fails, the semaphore is not kept, which is no worse than a restart.
  if (truncate(file_of(name).c_str(), kKeptLength) != 0) return;
}

bool is_kept_semaphore(const char* name) {
  struct stat facts;
  return is_foreign(name) ||
         (lstat(file_of(name).c_str(), &facts) == 0 && facts.st_size >= kKeptLength);
}

std::vector<std::string> list_semaphores(const char* prefix) {
  std::vector<std::string> names;
  const int fd = open(kDirectory, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return names;
  OsError error;
  const std::string wanted = std::string(kFilePrefix) + (prefix + 1);
  for (const std::string& file : list_directory(fd, &error)) {
    if (file.compare(0, wanted.size(), wanted) != 0) continue;
    names.push_back("/" + file.substr(strlen(kFilePrefix)));
  }
  close(fd);
  return names;
}

}  // namespace holdfast::platform
