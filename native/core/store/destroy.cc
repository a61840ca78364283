#include <cstring>

#include "core/invariant.h"
#include "core/kill_point.h"
#include "core/store/directory_lock.h"
#include "core/store/found.h"
#include "core/store/kind_ops.h"

namespace holdfast::core {

bool Object::has_unreported_death() const {
  // Where the words are is not read from the file, which others can write to.
  const OwnerWords words = owner_words_of(*ops_of(kind_), initial_, table_offset_);
  return unreported_death(header()->flags.load(), words, BodyReader(base_)) != 0;
}

void Store::destroy(const char* posix_name, const std::string& file_name) {
  HOLDFAST_INVARIANT(INV_8, is_locked_);
  // INV-10: the semaphore first. Dying in between leaves a file that nobody uses, and a sweep or
  // the next open comes by here again.
  const bool has_semaphore = is_semaphore_name(posix_name);
  if (has_semaphore) platform::unlink_semaphore(posix_name);
  KILL_POINT("store.destroy.semaphore");
  if (is_object_file(file_name)) {
    remove_spare_name(file_name);
    // The name that SharedMemory.posixName has given it (src/objects/posix-name.ts). What has a
    // semaphore is no SharedMemory.
    if (const char* home = platform::semaphore_directory(); home != nullptr && !has_semaphore) {
      const std::string key = file_name.substr(strlen(kObjectPrefix));
      const std::string name = std::string(home) + "/hf-" + semaphores_.prefix() + "m" + key;
      platform::unlink_file(directory_fd_, name.c_str());
    }
    KILL_POINT("store.destroy.memory_name");
  }
  platform::unlink_file(directory_fd_, file_name.c_str());
  KILL_POINT("store.destroy.file");
}

// After a death between the removal of the semaphore and that of the file, a process that opens the
// name would find a file whose semaphore is gone. So the file is first marked as one that no longer
// has the name.
Status Store::take_name_away(int fd, const char* posix_name, const std::string& file_name) {
  void* base = nullptr;
  if (platform::OsError error = platform::map_file(fd, sizeof(Header), &base)) {
    return Status::from(error, "cannot unlink " + directory_ + "/" + file_name);
  }
  Header* header = static_cast<Header*>(base);
  header->state.store(State::removed);
  KILL_POINT("store.unlink.removed");
  destroy(posix_name, file_name);
  platform::unmap_file(base, sizeof(Header));
  return Status::success();
}

void Store::close(Object* object) {
  Locked locked(*this, Locked::kForClosing);
  if (--object->users_ != 0) return;
  const auto known = objects_.find(object->file_name_);
  if (known != objects_.end() && known->second == object) objects_.erase(known);

  Header* header = object->header();
  // Not if the name was taken away: the file of that name, if there is one, is somebody else's.
  if (locked.acquired() && has_name(*object) && (header->flags.load() & kPersistent) == 0 &&
      // In this order: until we are the only user, somebody can still acquire it and die.
      !platform::lock_exclusive(object->fd_) && !object->has_unreported_death()) {
    destroy(object->posix_name_.c_str(), object->file_name_);
  }
  KILL_POINT("store.close.name");
  let_go(*object);
  KILL_POINT("store.close.flock");
  delete object;
}

void Store::let_go(const Object& object) {
  if (object.semaphore().handle != nullptr) platform::close_semaphore(object.semaphore());
  for (const platform::NamedSemaphore old : object.old_semaphores_) platform::close_semaphore(old);
  platform::unmap_file(object.base_, object.length_);
  // Explicitly: a child that was forked has the file description, too.
  platform::unlock_file(object.fd_);
  platform::close_descriptor(object.fd_);
}

Status Store::unlink(Kind kind, const std::string& name, const std::string& file_key) {
  const std::string file_name = kObjectPrefix + file_key;
  Locked locked(*this);
  if (!locked.acquired()) return Locked::busy();
  Found found;
  if (Status status = find(file_name, &found); !status.ok()) return status;
  const bool is_kind =
      kind == kUnknownKind ? ops_of(found.header.kind) == nullptr : found.header.kind == kind;
  if (found.what != Found::What::object || !is_kind || found.name != name) {
    return Status::of(Code::not_found, "there is no such object");
  }
  return take_name_away(found.fd, found.semaphore_name(), file_name);
}

Status Store::unlink(Object* object) {
  Locked locked(*this);
  if (!locked.acquired()) return Locked::busy();
  if (!has_name(*object)) {
    return Status::of(Code::not_found, "its name was taken away before");
  }
  return take_name_away(object->fd_, object->posix_name_.c_str(), object->file_name_);
}

}  // namespace holdfast::core
