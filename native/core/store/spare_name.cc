// The file of an object has two names: object.<digest>, by which it is opened, and spare.<digest>.
// Somebody may remove the first one by hand, because it looks like a lock file that is stale. While
// the object is in use, the next process that opens it, lists or sweeps puts the name back. So
// nobody makes a second object beside the one that is in use, and its users need not be told.
//
// INV-25 The spare name is made last and removed first. So without a removal there is none alone:
//
//   make      object.<digest>, then spare.<digest>
//   destroy   spare.<digest>, then object.<digest>
//
// A file system without hard links has no spare names. There, users learn of the removal
// (removal.cc), and newcomers do not.
#include <unordered_set>

#include "core/kill_point.h"
#include "core/store/directory_lock.h"
#include "core/store/found.h"

namespace holdfast::core {

namespace {

std::string spare_name_of(const std::string& file_name) {
  return kSparePrefix + file_name.substr(std::string(kObjectPrefix).size());
}

std::string object_name_of(const std::string& spare_name) {
  return kObjectPrefix + spare_name.substr(std::string(kSparePrefix).size());
}

}  // namespace

void Store::add_spare_name(const std::string& file_name) {
  platform::add_name(directory_fd_, file_name.c_str(), spare_name_of(file_name).c_str());
  KILL_POINT("store.spare_name.added");
}

void Store::remove_spare_name(const std::string& file_name) {
  platform::unlink_file(directory_fd_, spare_name_of(file_name).c_str());
  KILL_POINT("store.spare_name.removed");
}

// Does the name, or the spare name, lead others to this very object?
bool Store::has_name(const Object& object) const {
  const uint64_t inode = platform::inode_of(directory_fd_, object.file_name_.c_str());
  if (inode != 0) return inode == object.inode_;
  return platform::inode_of(directory_fd_, spare_name_of(object.file_name_).c_str()) ==
         object.inode_;
}

// The spare name is alone, or belongs to another file than the name.
Status Store::mend_names(const std::string& file_name) {
  const std::string spare_name = spare_name_of(file_name);
  Found spare;
  // What is no file of holdfast stays.
  if (!inspect_file(spare_name, &spare).ok() || spare.what == Found::What::nothing) {
    return Status::success();
  }
  const uint64_t inode = platform::inode_of(directory_fd_, file_name.c_str());
  if (spare.what != Found::What::object || !spare.in_use) {
    destroy(inode == 0 ? spare.semaphore_name() : "", spare_name);
  } else if (inode == 0) {
    platform::add_name(directory_fd_, spare_name.c_str(), file_name.c_str());
    KILL_POINT("store.spare_name.back");
  } else if (inode != spare.facts.inode) {
    return Status::of(Code::removed, "its file in " + directory_ +
                                         " was replaced by another program while " + other_users() +
                                         " used it, and may still hold what is asked for. It can "
                                         "be opened when they have ended, or closed it");
  }
  return Status::success();
}

// What is under the name, when its two names have been put in order.
Status Store::find(const std::string& file_name, Found* found) {
  Status status = inspect_file(file_name, found);
  if (!status.ok()) return status;
  if (found->what == Found::What::nothing) {
    if (platform::inode_of(directory_fd_, spare_name_of(file_name).c_str()) == 0) return status;
    status = mend_names(file_name);
    return status.ok() ? inspect_file(file_name, found) : status;
  }
  return found->facts.names == 1 ? mend_names(file_name) : status;
}

// The files of the directory, when the names that were removed by hand are back.
std::vector<std::string> Store::list_files(platform::OsError* error) {
  const std::vector<std::string> names = platform::list_directory(directory_fd_, error);
  const std::unordered_set<std::string> all(names.begin(), names.end());
  bool mended = false;
  for (const std::string& name : names) {
    if (!is_spare_file(name) || all.count(object_name_of(name)) != 0) continue;
    mend_names(object_name_of(name));
    mended = true;
  }
  return mended ? platform::list_directory(directory_fd_, error) : names;
}

}  // namespace holdfast::core
