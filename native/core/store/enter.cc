#include <algorithm>
#include <utility>

#include "core/kill_point.h"
#include "core/store/directory_lock.h"
#include "core/store/found.h"

namespace holdfast::core {

Status Store::enter(const std::string& directory, std::shared_ptr<Store>* result) {
  std::shared_ptr<Store> store(new Store());
  store->is_default_ = directory.empty();
  store->directory_ = store->is_default_ ? platform::default_directory() : directory;
  if (store->directory_.empty()) {
    return Status::of(Code::not_found, "this user has no home directory; set HOLDFAST_DIR");
  }
  const char* path = store->directory_.c_str();
  std::string quoted = "the directory " + store->directory_;
  const std::string other = store->is_default_ ? "set HOLDFAST_DIR to another directory"
                                               : "HOLDFAST_DIR must name another one";
  const int64_t deadline = platform::monotonic_ns() + kOpenPatience_ns;
  for (;;) {
    platform::OsError error;
    switch (platform::open_directory(path, true, &store->directory_fd_, &error)) {
      case platform::DirectoryFault::none:
        break;
      case platform::DirectoryFault::not_a_directory:
        return {Code::permission, error.errnum, error.call,
                quoted.append(" is a symbolic link or not a directory; ").append(other)};
      case platform::DirectoryFault::foreign_owner:
        return Status::of(Code::permission,
                          quoted.append(" belongs to another user; ").append(other));
      case platform::DirectoryFault::open_permissions:
        return Status::of(
            Code::permission,
            quoted.append(" can be entered by other users; its mode must be 0700, or ")
                .append(other));
      case platform::DirectoryFault::system:
        return store->directory_status(error, "cannot use " + quoted);
    }
    platform::keep_from_forks(store->directory_fd_);  // its lock must end with us
    {
      Locked locked(*store);
      if (!locked.acquired()) {
        platform::close_descriptor(store->directory_fd_);
        store->directory_fd_ = -1;
        return Locked::busy();
      }
      // The last one out may have removed it between our open and our lock, or somebody else it
      // between our lock and our mark (INV-24).
      if (Status status = store->identify(); !status.ok()) return status;
      store->mark_.place(store->directory_, store->device_);
      if (platform::is_same_directory(path, store->device_, store->inode_)) {
        Status status = Status::success();
        if (!store->semaphores_.enter(store->identity_, deadline)) status = Locked::busy();
        if (status.ok()) status = store->open_registry();
        if (!status.ok() && store->is_default_) platform::remove_empty_directory(path);
        if (status.ok()) *result = std::move(store);
        return status;
      }
    }
    platform::close_descriptor(store->directory_fd_);
    store->directory_fd_ = -1;
    if (platform::monotonic_ns() >= deadline) return Locked::busy();
  }
}

Status Store::identify() {
  platform::FileFacts facts;
  if (platform::OsError error = platform::file_facts(directory_fd_, &facts)) {
    return Status::from(error, "cannot look at " + directory_);
  }
  device_ = facts.device;
  inode_ = facts.inode;
  identity_ = std::to_string(facts.device) + ":" + std::to_string(facts.inode);
  return Status::success();
}

Status Store::open_registry() {
  const std::string where = "the registry in " + directory_;
  Found found;
  if (Status status = inspect_file(kRegistryName, &found); !status.ok()) return status;
  if (found.what == Found::What::object && found.header.kind != Kind::registry) {
    return Status::of(Code::corrupt, where + " is not a registry");
  }
  const bool foreign = found.what == Found::What::object && found.is_foreign;
  if (foreign && (found.in_use || has_objects_in_use())) {
    return Status::of(Code::incompatible,
                      where + " has " + to_text(format_of(found.header)) +
                          ", and this program has " + to_text(own_format(Kind::registry)) +
                          ". Programs with that format are running: use one version of holdfast "
                          "in all programs of this user, or another HOLDFAST_DIR");
  }
  const bool outlived = found.what == Found::What::object && is_of_another_boot(found);
  if (outlived) destroy_all();
  const bool fresh = foreign || outlived || found.what != Found::What::object;
  if (fresh && found.what != Found::What::nothing) {
    platform::unlink_file(directory_fd_, kRegistryName);
  }
  KILL_POINT("store.open_registry.unlinked");

  platform::OsError error;
  if (fresh) {
    if (Status status = check_nobody_uses_what_was_removed(); !status.ok()) return status;
  }
  if (fresh) {
    error = platform::create_file(directory_fd_, kRegistryName, &registry_fd_, &found.facts);
    KILL_POINT("store.open_registry.created");
    if (!error) error = platform::reserve_space(registry_fd_, 0, kRegistryLength);
    KILL_POINT("store.open_registry.reserved");
  } else {
    registry_fd_ = std::exchange(found.fd, -1);
  }
  if (!error && (fresh || !found.in_use)) error = platform::lock_shared(registry_fd_);
  KILL_POINT("store.open_registry.flock");
  if (!error) error = platform::map_file(registry_fd_, kRegistryLength, &registry_base_);
  if (error) {
    if (fresh) platform::unlink_file(directory_fd_, kRegistryName);
    if (registry_fd_ >= 0) platform::close_descriptor(std::exchange(registry_fd_, -1));
    return directory_status(error, "cannot open " + where);
  }
  registry_inode_ = found.facts.inode;
  Header* header = static_cast<Header*>(registry_base_);
  if (fresh) {
    const Format format = own_format(Kind::registry);
    header->version = format.version;
    header->kind = Kind::registry;
    header->signature = format.signature;
    header->byte_length = kRegistryLength;
    const platform::Boot boot = platform::current_boot();
    header->boot[0] = boot.words[0];
    header->boot[1] = boot.words[1];
    KILL_POINT("store.open_registry.header");
    header->created_us = platform::realtime_us();
    header->state.store(State::ready);
    KILL_POINT("store.open_registry.state");
    header->magic.store(kMagic);
    KILL_POINT("store.open_registry.magic");
  }
  registry_.attach(reinterpret_cast<RegistryBody*>(header + 1), directory_, directory_fd_);
  registry_.vacate_dead();
  begin_sweep();
  semaphores_.sweep();
  if (fresh && !has_objects()) semaphores_.sweep_own();
  return Status::success();
}

// Did the machine start again since that registry was made? Then nobody in it lives.
bool Store::is_of_another_boot(const Found& registry) {
  const uint64_t* then = registry.header.boot;
  const platform::Boot now = platform::current_boot();
  const bool known = (then[0] | then[1]) != 0 && (now.words[0] | now.words[1]) != 0;
  return known && !registry.in_use && (then[0] != now.words[0] || then[1] != now.words[1]);
}

Store::~Store() {
  if (registry_base_ != nullptr) {
    Locked locked(*this, Locked::kForClosing);
    // Last one out of the directory, and nothing persistent in it: leave no trace.
    const bool is_last =
        locked.acquired() && check_surroundings().ok() && !platform::lock_exclusive(registry_fd_);
    mark_.remove();  // before the registry: who finds none may make one at once
    if (is_last) {
      if (registry_.vacate_dead()) begin_sweep();
      while (is_sweeping()) sweep_step();
      platform::OsError error;
      bool empty = true;
      const std::vector<std::string> names = list_files(&error);
      for (const std::string& name : names) empty &= !is_object_file(name);
      if (empty && !error) {
        for (const std::string& name : names) {
          if (name.rfind(kDoorbellPrefix, 0) == 0 || name.rfind(kWaitRecordPrefix, 0) == 0) {
            platform::unlink_file(directory_fd_, name.c_str());
          }
          KILL_POINT("store.leave.doorbell");
        }
        platform::unlink_file(directory_fd_, kRegistryName);
        KILL_POINT("store.leave.registry");
        if (is_default_) platform::remove_empty_directory(directory_.c_str());
      }
    }
    platform::unmap_file(registry_base_, kRegistryLength);
    platform::unlock_file(registry_fd_);
    platform::close_descriptor(registry_fd_);
    KILL_POINT("store.leave.flock");
  }
  if (directory_fd_ >= 0) platform::close_descriptor(directory_fd_);
}

Status Store::claim_agent(uint32_t thread_id, const std::string& process_name, AgentId* id,
                          platform::Doorbell* doorbell, bool* lone_number) {
  Locked locked(*this);
  if (!locked.acquired()) return Locked::busy();
  if (Status status = check_surroundings(); !status.ok()) return status;
  return registry_.claim(thread_id, process_name, id, doorbell, lone_number);
}

void Store::vacate_agent(AgentId id) {
  Locked locked(*this, Locked::kForClosing);
  if (locked.acquired()) registry_.vacate(id);  // otherwise others find that it is dead
}

bool Store::has_objects() {
  platform::OsError error;
  const std::vector<std::string> names = list_files(&error);
  return error || std::any_of(names.begin(), names.end(), [](const std::string& name) {
           return is_object_file(name) || is_draft_file(name);
         });
}

bool Store::has_objects_in_use() {
  platform::OsError error;
  for (const std::string& file_name : list_files(&error)) {
    Found found;
    if (!is_object_file(file_name)) continue;
    inspect_file(file_name, &found);
    if (found.in_use) return true;
  }
  return false;
}

}  // namespace holdfast::core
