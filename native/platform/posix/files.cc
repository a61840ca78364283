#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "platform/platform.h"

namespace holdfast::platform {

namespace {

OsError failed(const char* call) { return {errno, call}; }

constexpr mode_t kDirectoryMode = 0700;
constexpr mode_t kFileMode = 0600;
constexpr mode_t kAllModes = 07777;

// A umask may take the maker's own permissions from what it makes. The mode is set right after
// that. A maker that died in between leaves something that its owner cannot open; this gives the
// permissions back. False if it is not that: another kind of file, another user's, or whole.
bool restore_mode(int directory_fd, const char* name, mode_t type) {
  const mode_t mode = type == S_IFDIR ? kDirectoryMode : kFileMode;
  struct stat facts;
  return fstatat(directory_fd, name, &facts, AT_SYMLINK_NOFOLLOW) == 0 &&
         (facts.st_mode & S_IFMT) == type && facts.st_uid == geteuid() &&
         (facts.st_mode & 077) == 0 && (facts.st_mode & mode) != mode &&
         fchmodat(directory_fd, name, mode, AT_SYMLINK_NOFOLLOW) == 0;
}

FileFacts facts_of(const struct stat& got) {
  FileFacts facts;
  facts.regular = S_ISREG(got.st_mode);
  facts.owned = got.st_uid == geteuid();
  facts.names = got.st_nlink;
  facts.length = static_cast<uint64_t>(got.st_size);
  facts.device = static_cast<uint64_t>(got.st_dev);
  facts.inode = got.st_ino;
  return facts;
}

}  // namespace

DirectoryFault open_directory(const char* path, bool create, int* fd, OsError* error) {
  if (create && mkdir(path, kDirectoryMode) != 0 && errno != EEXIST) {
    *error = failed("mkdir");
    return DirectoryFault::system;
  }
  const auto open_it = [path] {
    return open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  };
  int opened = open_it();
  if (opened < 0 && errno == EACCES && restore_mode(AT_FDCWD, path, S_IFDIR)) opened = open_it();
  if (opened < 0) {
    *error = failed("open");
    // A symlink is ELOOP or, together with O_DIRECTORY, ENOTDIR.
    return errno == ENOTDIR || errno == ELOOP ? DirectoryFault::not_a_directory
                                              : DirectoryFault::system;
  }
  struct stat facts;
  DirectoryFault fault = DirectoryFault::none;
  if (fstat(opened, &facts) != 0) {
    *error = failed("fstat");
    fault = DirectoryFault::system;
  } else if (facts.st_uid != geteuid()) {
    fault = DirectoryFault::foreign_owner;
  } else if ((facts.st_mode & 077) != 0) {
    fault = DirectoryFault::open_permissions;
  } else if ((facts.st_mode & kDirectoryMode) != kDirectoryMode &&
             fchmod(opened, kDirectoryMode) != 0) {
    *error = failed("fchmod");
    fault = DirectoryFault::system;
  }
  if (fault != DirectoryFault::none) {
    close(opened);
    return fault;
  }
  *fd = opened;
  return DirectoryFault::none;
}

bool is_same_directory(const char* path, uint64_t device, uint64_t inode) {
  struct stat got;
  if (lstat(path, &got) != 0) return errno != ENOENT && errno != ENOTDIR;
  return got.st_ino == inode && static_cast<uint64_t>(got.st_dev) == device;
}

void remove_empty_directory(const char* path) { rmdir(path); }

std::vector<std::string> list_directory(int directory_fd, OsError* error) {
  std::vector<std::string> names;
  // A descriptor of its own: readdir's position belongs to the open file description.
  const int fd = openat(directory_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR* directory = fd < 0 ? nullptr : fdopendir(fd);
  if (directory == nullptr) {
    *error = failed("opendir");
    if (fd >= 0) close(fd);
    return names;
  }
  // Two threads may call readdir at the same time, because each has a DIR of its own.
  while (const dirent* entry = readdir(directory)) {  // NOLINT(concurrency-mt-unsafe)
    if (entry->d_name[0] != '.') names.emplace_back(entry->d_name);
  }
  closedir(directory);
  return names;
}

OsError open_file(int directory_fd, const char* name, int* fd) {
  const auto open_it = [directory_fd, name] {
    // O_NONBLOCK: somebody may have put a FIFO there, and opening it must not hang.
    return openat(directory_fd, name, O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
  };
  *fd = open_it();
  if (*fd < 0 && errno == EACCES && restore_mode(directory_fd, name, S_IFREG)) *fd = open_it();
  return *fd < 0 ? failed("open") : OsError{};
}

OsError create_file(int directory_fd, const char* name, int* fd, FileFacts* facts) {
  *fd = openat(directory_fd, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, kFileMode);
  if (*fd < 0) return failed("open");
  struct stat got;
  OsError error = fstat(*fd, &got) != 0 ? failed("fstat") : OsError{};
  if (!error && (got.st_mode & kAllModes) != kFileMode && fchmod(*fd, kFileMode) != 0) {
    error = failed("fchmod");
  }
  if (!error) {
    *facts = facts_of(got);
    return {};
  }
  unlinkat(directory_fd, name, 0);
  close(*fd);
  *fd = -1;
  return error;
}

OsError unlink_file(int directory_fd, const char* name) {
  return unlinkat(directory_fd, name, 0) != 0 ? failed("unlink") : OsError{};
}

OsError add_name(int directory_fd, const char* name, const char* another) {
  return linkat(directory_fd, name, directory_fd, another, 0) != 0 ? failed("link") : OsError{};
}

OsError rename_file(int directory_fd, const char* from, const char* to) {
  return renameat(directory_fd, from, directory_fd, to) != 0 ? failed("rename") : OsError{};
}

OsError file_facts(int fd, FileFacts* facts) {
  struct stat got;
  if (fstat(fd, &got) != 0) return failed("fstat");
  *facts = facts_of(got);
  return {};
}

uint64_t inode_of(int directory_fd, const char* name) {
  struct stat got;
  return fstatat(directory_fd, name, &got, AT_SYMLINK_NOFOLLOW) == 0 ? got.st_ino : 0;
}

bool is_same_file(int directory_fd, const char* name, uint64_t inode) {
  struct stat got;
  if (fstatat(directory_fd, name, &got, AT_SYMLINK_NOFOLLOW) != 0) return errno != ENOENT;
  return got.st_ino == inode;
}

OsError read_at_start(int fd, void* into, size_t length, size_t* got) {
  const ssize_t count = pread(fd, into, length, 0);
  if (count < 0) return failed("pread");
  *got = static_cast<size_t>(count);
  return {};
}

bool read_at(int fd, uint64_t offset, void* into, size_t length) {
  return pread(fd, into, length, static_cast<off_t>(offset)) == static_cast<ssize_t>(length);
}

bool write_at(int fd, uint64_t offset, const void* from, size_t length) {
  return pwrite(fd, from, length, static_cast<off_t>(offset)) == static_cast<ssize_t>(length);
}

OsError map_file(int fd, size_t length, void** base) {
  // On Linux a mapping keeps the open file description alive, and with it the flock.
  char path[32];
  snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  int another = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
  struct stat one, other;
  // What is mounted there need not be the kernel's.
  if (another >= 0 && (fstat(fd, &one) != 0 || fstat(another, &other) != 0 ||
                       one.st_ino != other.st_ino || one.st_dev != other.st_dev)) {
    close(another);
    another = -1;
  }
  void* mapped =
      mmap(nullptr, length, PROT_READ | PROT_WRITE, MAP_SHARED, another >= 0 ? another : fd, 0);
  const OsError error = mapped == MAP_FAILED ? failed("mmap") : OsError{};
  if (another >= 0) close(another);
  if (!error) *base = mapped;
  return error;
}

void unmap_file(void* base, size_t length) { munmap(base, length); }

void let_go_of_file(void* base, size_t length) {
  // Private and untouched, so it costs addresses and no memory. If it fails, the file stays mapped.
  static_cast<void>(mmap(base, length, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0));
}

bool is_out_of_descriptors(int errnum) { return errnum == EMFILE || errnum == ENFILE; }

OsError lock_shared(int fd) {
  return flock(fd, LOCK_SH | LOCK_NB) != 0 ? failed("flock") : OsError{};
}

OsError lock_exclusive(int fd) {
  return flock(fd, LOCK_EX | LOCK_NB) != 0 ? failed("flock") : OsError{};
}

void unlock_file(int fd) { flock(fd, LOCK_UN); }

}  // namespace holdfast::platform
