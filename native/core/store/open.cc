#include <cerrno>
#include <utility>

#include "core/invariant.h"
#include "core/kill_point.h"
#include "core/store/directory_lock.h"
#include "core/store/found.h"
#include "core/store/kind_ops.h"

namespace holdfast::core {

Status Store::open(const OpenRequest& request, Object** result) {
  const std::string file_name = kObjectPrefix + request.file_key;
  Locked locked(*this);
  if (!locked.acquired()) return Locked::busy();
  if (Status status = check_surroundings(); !status.ok()) return status;
  sweep_if_due();

  Found found;
  Status status = find(file_name, &found);
  const auto known = objects_.find(file_name);
  if (known != objects_.end() && has_lost_its_file(*known->second)) {
    return look_at(*known->second);  // this process has it open, and may hold it
  }
  if (!status.ok()) return status;

  const bool leftover = found.is_leftover();
  if (request.must_exist && (found.what != Found::What::object || leftover)) {
    return Status::of(Code::not_found, "there is no such object");
  }
  const AgentId dead = leftover && found.header.kind == request.kind ? found.unreported_death() : 0;
  if (found.what == Found::What::object && (!leftover || dead != 0)) {
    if (!found.is_foreign) return adopt(request, found, result);
    return leftover ? remake(request, found, dead, result) : found.foreign_status();
  }
  if (found.what != Found::What::nothing) destroy(found.semaphore_name(), file_name);
  return make(request, file_name, result);
}

// Is the object that was found what the request asks for?
Status Store::compare(const OpenRequest& request, const Found& found) {
  const Header& seen = found.header;
  const KindOps& ops = *ops_of(seen.kind);
  if (seen.kind != request.kind) {
    return Status::of(Code::incompatible,
                      std::string("the name belongs to ") + ops.article + " " + ops.name);
  }
  if (found.name != request.name) {
    return Status::of(Code::incompatible, "its file belongs to another name: " + found.name);
  }
  if (request.exclusive && (found.in_use || found.persistent())) {
    return Status::of(Code::exists, "it exists already");
  }
  if (request.initial_given && seen.initial != request.initial && ops.initial != nullptr) {
    return made_with_another(ops.initial, seen.initial, request.initial);
  }
  if (ops.compare == nullptr) return Status::success();
  return ops.compare(request, BodyReader(found.fd),
                     seen.byte_length - table_offset_of(ops, found.name.size()));
}

// The object, if this process has it open already; otherwise nullptr. Also nullptr if the name was
// taken away meanwhile and given to a new object.
Object* Store::reopen(const OpenRequest& request, const std::string& file_name, int fd) {
  const auto known = objects_.find(file_name);
  if (known == objects_.end()) return nullptr;
  platform::FileFacts ours, theirs;
  if (!platform::file_facts(known->second->fd_, &ours) && !platform::file_facts(fd, &theirs) &&
      ours.inode == theirs.inode) {
    known->second->users_++;
    if (request.persistent) make_persistent(*known->second);
    KILL_POINT("store.adopt.persistent_again");
    return known->second;
  }
  objects_.erase(known);
  return nullptr;
}

// The semaphore of a Semaphore must be kept before anybody relies on that.
void Store::make_persistent(Object& object) {
  if (ops_of(object.kind())->prepare_semaphore != nullptr) {
    platform::keep_semaphore(object.posix_name_.c_str());
  }
  object.header()->flags.fetch_or(kPersistent);
}

void Store::keep_semaphore_open(Object* object, platform::NamedSemaphore semaphore) {
  object->semaphore_.store(semaphore.handle);
  object->semaphore_inode_ = platform::semaphore_inode(object->posix_name_.c_str());
}

// Opens the semaphore that the file names, or makes it anew if nobody uses the object.
Status Store::open_semaphore(const OpenRequest& request, const Found& found, Object* object) {
  const KindOps& ops = *ops_of(object->kind());
  object->posix_name_ = found.semaphore_name();
  const char* const name = object->posix_name_.c_str();
  platform::OsError error = {ENOENT, "sem_open"};
  platform::NamedSemaphore semaphore;
  if (*name != '\0') error = platform::open_semaphore(name, &semaphore);
  if (error.errnum == ENOENT && found.in_use && ops.prepare_semaphore == nullptr) {
    // Somebody removed it. It counts only permits to try (INV-2), so another one does as well; who
    // has the old one changes over (renew_semaphore).
    error = platform::create_semaphore(name, 1, &semaphore);
    KILL_POINT("store.adopt.semaphore_again");
  }
  if (!error) keep_semaphore_open(object, semaphore);
  const bool is_gone = error.errnum == ENOENT || error.errnum == EACCES;
  if (is_gone && !found.in_use) {
    // An agent died while it removed the object (INV-10), or the machine was restarted, or the file
    // is a copy. The new semaphore gets the name that belongs to the key, not the one in the file:
    // if another program wrote over that, no agent would ever remove the semaphore.
    error = make_semaphore(request.semaphore_key, object);
    KILL_POINT("store.adopt.semaphore");
  } else if (error.errnum == ENOENT && "/hf-" + request.semaphore_key != name) {
    return {Code::incompatible, error.errnum, error.call,
            "its users, who may be among " + other_users() +
                ", have its semaphore in another /dev/shm than this process: mount one /dev/shm in "
                "all containers that share " +
                directory_ + ", or use a BoundedSemaphore, which needs no /dev/shm"};
  } else if (is_gone) {
    return {Code::removed, error.errnum, error.call,
            "its semaphore " + object->posix_name_ +
                " was removed by another program while others use it. They may be among " +
                other_users() + ". It is made anew when they have ended, or closed it"};
  }
  return error ? semaphore_status(error, *object) : Status::success();
}

// Opens an object that exists: in use by others, persistent, or left by a holder that died.
Status Store::adopt(const OpenRequest& request, Found& found, Object** result) {
  HOLDFAST_INVARIANT(INV_8, is_locked_);
  const Header& seen = found.header;
  const std::string file_name = kObjectPrefix + request.file_key;
  if (Status status = compare(request, found); !status.ok()) return status;
  if (Object* known = reopen(request, file_name, found.fd)) {
    *result = known;
    return Status::success();
  }
  const KindOps& ops = *ops_of(seen.kind);
  auto object = std::make_unique<Object>();
  object->file_name_ = file_name;
  object->fd_ = std::exchange(found.fd, -1);
  object->device_ = found.facts.device;
  object->inode_ = found.facts.inode;
  object->length_ = seen.byte_length;
  object->remember(seen.kind, table_offset_of(ops, found.name.size()), seen.initial, seen.tag,
                   found.name);
  platform::OsError error;
  if (!found.in_use) error = platform::lock_shared(object->fd_);
  KILL_POINT("store.adopt.flock");
  if (!error) error = platform::map_file(object->fd_, object->length_, &object->base_);
  Status status = Status::success();
  if (error) status = Status::from(error, "cannot open " + directory_ + "/" + file_name);
  if (!error && ops.has_semaphore) status = open_semaphore(request, found, object.get());
  if (!status.ok()) {
    if (object->base_ != nullptr) platform::unmap_file(object->base_, object->length_);
    platform::close_descriptor(object->fd_);
    return status;
  }
  HOLDFAST_INVARIANT(INV_9, !is_unused_object(file_name));
  if (found.facts.names == 1) add_spare_name(file_name);
  if (!found.in_use) {
    // The owner word stays: it is how the next holder learns of the death.
    if (ops.forget_users != nullptr) ops.forget_users(*object);
    KILL_POINT("store.adopt.forgotten");
  }
  if (request.persistent) make_persistent(*object);
  KILL_POINT("store.adopt.persistent");
  object->users_ = 1;
  *result = object.get();
  objects_[file_name] = object.release();
  return Status::success();
}

}  // namespace holdfast::core
