// What somebody removes by hand while this process uses it. The process looks once a slice, and
// when a guard is asked whether it is compromised.
#include <utility>

#include "core/store/directory_lock.h"
#include "core/store/kind_ops.h"

namespace holdfast::core {

// Somebody may have emptied or replaced the directory under us. What is open goes on working, but a
// newcomer there begins another registry, in which we are nobody: sharing a new object with it
// would mean that it takes us for dead.
Status Store::check_surroundings() const {
  if (platform::is_same_directory(directory_.c_str(), device_, inode_) &&
      platform::is_same_file(directory_fd_, kRegistryName, registry_inode_)) {
    return Status::success();
  }
  return Status::of(Code::removed, "the directory " + directory_ +
                                       " was removed, emptied or replaced by another program while "
                                       "this process was using it; release what it holds, close "
                                       "all its objects and open them again, or restart it");
}

// A name that was taken away by unlink() is no news: the file says so.
bool Store::has_lost_its_file(const Object& object) const {
  return !has_name(object) && object.header()->state.load() != State::removed;
}

Status Store::look_at(Object& object) {
  Status status = check_surroundings();
  if (status.ok() && has_lost_its_file(object)) {
    status = Status::of(Code::removed, "its file in " + directory_ +
                                           " was removed by another program while this process was "
                                           "using it; release it, close it and open it again");
  }
  if (status.ok()) renew_semaphore(object);
  object.removed_.store(!status.ok(), std::memory_order_relaxed);
  object.next_look_ns_.store(platform::coarse_ns() + kSlice_ms * platform::kNanosPerMilli,
                             std::memory_order_relaxed);
  return status;
}

// Somebody removed the semaphore of a Lock, and a newcomer made another one
// (Store::open_semaphore). Users of the one and of the other exclude each other by the owner word,
// but wait for each other's release for two slices. So who has the old one changes over.
void Store::renew_semaphore(Object& object) {
  if (object.semaphore_inode_ == 0) return;
  const uint64_t inode = platform::semaphore_inode(object.posix_name_.c_str());
  if (inode == 0 || inode == object.semaphore_inode_) return;
  const std::lock_guard<std::mutex> guard(mutex_);
  platform::NamedSemaphore renewed;
  if (inode == object.semaphore_inode_ ||
      platform::open_semaphore(object.posix_name_.c_str(), &renewed)) {
    return;
  }
  // Another thread may be waiting in the old one, for a moment (Lock::wait_for_token).
  object.old_semaphores_.push_back({object.semaphore_.exchange(renewed.handle)});
  object.semaphore_inode_ = inode;
}

// For the agent that makes a new registry. It waits for two slices, because users may be about to
// leave, or were killed a moment ago.
Status Store::check_nobody_uses_what_was_removed() {
  const int64_t deadline_ns = platform::monotonic_ns() + 2 * kSlice_ms * platform::kNanosPerMilli;
  while (!mark_.others().empty() && platform::monotonic_ns() < deadline_ns) {
    platform::sleep_ns(platform::kNanosPerMilli);
  }
  // Users without marks have a build from before there were any.
  if (mark_.others().empty() && !has_objects_in_use()) return Status::success();
  return Status::of(Code::removed,
                    "the directory " + directory_ +
                        ", or what was in it, was removed by another program while " +
                        other_users() +
                        " used it, and may still hold what is asked for. Everything "
                        "can be made anew when they have ended, or closed all their "
                        "objects. Until then set another HOLDFAST_DIR");
}

// The others who use the directory, in words.
std::string Store::other_users() const {
  const std::vector<uint32_t> pids = mark_.others();
  if (pids.empty()) return "other processes";
  std::string text = pids.size() == 1 ? "process" : "processes";
  const char* separator = " ";
  for (const uint32_t pid : pids) text += std::exchange(separator, ", ") + std::to_string(pid);
  return text;
}

}  // namespace holdfast::core
