// What a person should do when the system refuses something, beside what it refused.
#include <cerrno>

#include "core/store/store.h"

namespace holdfast::core {

namespace {

bool is_full(int errnum) { return errnum == ENOSPC || errnum == EDQUOT; }

const char* remedy_in_directory(int errnum) {
  if (is_full(errnum)) {
    return "its file system is full: give it more space (docker run --shm-size), or ";
  }
  if (errnum == EROFS) return "its file system is read-only: ";
  if (errnum == ENOENT) return "the directory above it does not exist: make that, or ";
  if (errnum == ENOTDIR) return "a part of that path is not a directory: ";
  if (errnum == ENAMETOOLONG) return "that path is too long: ";
  if (errnum == EACCES || errnum == EPERM) return "this user may not write there: ";
  return nullptr;
}

const char* remedy_for_semaphore(int errnum) {
  if (is_full(errnum)) return "/dev/shm is full: give it more space (docker run --shm-size)";
  if (errnum == EROFS) return "/dev/shm is read-only: mount it writable";
  if (errnum == EACCES || errnum == EPERM) return "this user may not write to /dev/shm";
  if (errnum == ENOENT || errnum == ENOSYS) return "there is no /dev/shm: mount a tmpfs there";
  return nullptr;
}

}  // namespace

Status Store::directory_status(const platform::OsError& error, const std::string& what) const {
  const char* const remedy = remedy_in_directory(error.errnum);
  if (remedy == nullptr) return Status::from(error, what);
  return Status::from(error, what + ": " + remedy +
                                 (is_default_ ? "set HOLDFAST_DIR to another directory"
                                              : "set HOLDFAST_DIR, which names this directory, to "
                                                "another one"));
}

// Where semaphores are files.
Status Store::semaphore_status(const platform::OsError& error, const Object& object) {
  const std::string what = "cannot open the semaphore " + object.posix_name_;
  const char* const remedy = remedy_for_semaphore(error.errnum);
  if (platform::semaphore_directory() == nullptr || remedy == nullptr) {
    return Status::from(error, what);
  }
  return Status::from(error, what + ": " + remedy +
                                 ". Lock and Semaphore have theirs there, whatever HOLDFAST_DIR "
                                 "says; the other classes need none");
}

}  // namespace holdfast::core
