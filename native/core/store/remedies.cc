// What a person should do when the system refuses something, beside what it refused.
#include <cerrno>

#include "core/store/store.h"

namespace holdfast::core {

namespace {

bool is_full(int errnum) { return errnum == ENOSPC || errnum == EDQUOT; }

bool is_below(const std::string& path, const char* directory) {
  return path.rfind(std::string(directory) + "/", 0) == 0;
}

const char* remedy_in_directory(int errnum, const std::string& directory) {
  if (is_full(errnum) && is_below(directory, "/dev/shm")) {
    return "its file system is full: give it more space (docker run --shm-size), or ";
  }
  if (is_full(errnum)) return "its file system is full: make room there, or ";
  if (errnum == EROFS) return "its file system is read-only: ";
  if (errnum == ENOENT) return "the directory above it does not exist: make that, or ";
  if (errnum == ENOTDIR) return "a part of that path is not a directory: ";
  if (errnum == ENAMETOOLONG) return "that path is too long: ";
  if (errnum == EACCES || errnum == EPERM) return "this user may not write there: ";
  return nullptr;
}

// Where semaphores are files.
const char* remedy_for_file(int errnum) {
  if (is_full(errnum)) return "/dev/shm is full: give it more space (docker run --shm-size)";
  if (errnum == EROFS) return "/dev/shm is read-only: mount it writable";
  if (errnum == EACCES || errnum == EPERM) return "this user may not write to /dev/shm";
  if (errnum == ENOENT || errnum == ENOSYS) return "there is no /dev/shm: mount a tmpfs there";
  return nullptr;
}

// What a person should do about a semaphore that the system refuses; empty if nothing is known.
std::string remedy_for_semaphore(int errnum) {
  if (platform::semaphore_directory() != nullptr) {
    const char* const remedy = remedy_for_file(errnum);
    return remedy == nullptr ? ""
                             : std::string(remedy) +
                                   ". Lock and Semaphore have theirs there, whatever HOLDFAST_DIR "
                                   "says; the other classes need none";
  }
  const std::string limit = platform::traits::kSemaphoresLimit;
  if (limit.empty() || !is_full(errnum)) return "";
  return "this system has as many semaphores as it allows: close some Locks and Semaphores, or "
         "raise its limit (" +
         limit + "). The other classes need none";
}

}  // namespace

Status Store::directory_status(const platform::OsError& error, const std::string& what) const {
  const char* const remedy = remedy_in_directory(error.errnum, directory_);
  if (remedy == nullptr) return Status::from(error, what);
  return Status::from(error, what + ": " + remedy +
                                 (is_default_ ? "set HOLDFAST_DIR to another directory"
                                              : "set HOLDFAST_DIR, which names this directory, to "
                                                "another one"));
}

Status Store::semaphore_status(const platform::OsError& error, const Object& object) {
  const std::string what = "cannot open the semaphore " + object.posix_name_;
  const std::string remedy = remedy_for_semaphore(error.errnum);
  return Status::from(error, remedy.empty() ? what : what + ": " + remedy);
}

}  // namespace holdfast::core
