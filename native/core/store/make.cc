#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "core/invariant.h"
#include "core/kill_point.h"
#include "core/store/directory_lock.h"
#include "core/store/found.h"
#include "core/store/kind_ops.h"

namespace holdfast::core {

namespace {

std::string random_key(const std::string& prefix) {
  unsigned char bytes[(kSemaphoreKeyLength + 1) / 2];
  platform::random_bytes(bytes, sizeof bytes);
  char text[2 * sizeof bytes + 1];
  for (size_t i = 0; i < sizeof bytes; i++) snprintf(text + 2 * i, 3, "%02x", bytes[i]);
  return (prefix + text).substr(0, kSemaphoreKeyLength);
}

// A long name follows the body.
void write_name(Header* header, const KindOps& ops, const std::string& name) {
  header->name_length = static_cast<uint32_t>(name.size());
  header->name_offset = name_offset_of(ops, name.size());
  char* const base = reinterpret_cast<char*>(header);
  std::copy(name.begin(), name.end(),
            header->name_offset != 0 ? base + header->name_offset : header->name);
}

}  // namespace

Status Store::make(const OpenRequest& request, const std::string& file_name, Object** result) {
  std::unique_ptr<Object> object;
  Status status = build(request, file_name, &object);
  if (!status.ok()) return status;
  add_spare_name(file_name);
  *result = keep(std::move(object), file_name);
  return status;
}

// From here on this process has it open.
Object* Store::keep(std::unique_ptr<Object> object, const std::string& file_name) {
  object->file_name_ = file_name;
  object->users_ = 1;
  objects_[file_name] = object.get();
  return object.release();
}

Status Store::build(const OpenRequest& request, const std::string& file_name,
                    std::unique_ptr<Object>* result) {
  HOLDFAST_INVARIANT(INV_8, is_locked_);
  auto object = std::make_unique<Object>();
  object->file_name_ = file_name;
  platform::FileFacts facts;
  platform::OsError error =
      platform::create_file(directory_fd_, file_name.c_str(), &object->fd_, &facts);
  if (error) return directory_status(error, "cannot make " + directory_ + "/" + file_name);

  KILL_POINT("store.make.created");
  const KindOps& ops = *ops_of(request.kind);
  const uint64_t table_length = ops.table_length != nullptr ? ops.table_length(request) : 0;
  const uint32_t table_offset = table_offset_of(ops, request.name.size());
  object->length_ = table_offset + table_length;
  object->device_ = facts.device;
  object->inode_ = facts.inode;
  error = platform::lock_shared(object->fd_);
  KILL_POINT("store.make.flock");
  const uint64_t reserved = table_offset + std::min(table_length, ops.table_reserved);
  if (!error) error = platform::reserve_space(object->fd_, 0, reserved);
  if (!error && reserved < object->length_) {
    error = platform::set_length(object->fd_, object->length_);
  }
  KILL_POINT("store.make.length");
  if (!error) error = platform::map_file(object->fd_, object->length_, &object->base_);
  if (error) {
    platform::unlink_file(directory_fd_, file_name.c_str());
    platform::close_descriptor(object->fd_);
    return directory_status(error, "cannot make " + directory_ + "/" + file_name);
  }

  initialise(request, ops, object.get());
  if (ops.has_semaphore) error = make_semaphore(request.semaphore_key, object.get());
  if (error) {
    platform::unlink_file(directory_fd_, file_name.c_str());
    platform::unmap_file(object->base_, object->length_);
    platform::close_descriptor(object->fd_);
    return semaphore_status(error, *object);
  }
  Header* header = object->header();
  header->magic.store(kMagic);
  KILL_POINT("store.make.magic");
  header->state.store(State::ready);
  KILL_POINT("store.make.ready");
  HOLDFAST_INVARIANT(INV_9, !is_unused_object(file_name));

  *result = std::move(object);
  return Status::success();
}

void Store::destroy_draft(const std::string& file_name) {
  Found draft;
  inspect_file(file_name, &draft);
  destroy(draft.semaphore_name(), file_name);
}

// The news of the death is in the old file until it is in the new one, even if this agent dies
// here: so the new one is made under another name. An agent that finds a draft removes it, because
// its maker, who had the directory's lock, is dead.
Status Store::remake(const OpenRequest& request, const Found& found, AgentId dead,
                     Object** result) {
  const std::string file_name = kObjectPrefix + request.file_key;
  const std::string draft_name = kDraftPrefix + request.file_key;
  destroy_draft(draft_name);
  std::unique_ptr<Object> object;
  if (Status status = build(request, draft_name, &object); !status.ok()) return status;
  const OwnerWords words =
      owner_words_of(*ops_of(request.kind), request.initial, object->table_offset());
  auto* owner =
      reinterpret_cast<std::atomic<AgentId>*>(static_cast<char*>(object->base_) + words.offset);
  if (words.count != 0) owner->store(dead);
  KILL_POINT("store.remake.news");
  // INV-10. It may be the draft's by now: both have one name.
  if (object->posix_name_ != found.semaphore_name()) {
    if (is_semaphore_name(found.semaphore_name()))
      platform::unlink_semaphore(found.semaphore_name());
  }
  KILL_POINT("store.remake.semaphore");
  remove_spare_name(file_name);
  if (platform::OsError error =
          platform::rename_file(directory_fd_, draft_name.c_str(), file_name.c_str())) {
    destroy(object->posix_name_.c_str(), draft_name);
    let_go(*object);
    return Status::from(error, "cannot make " + directory_ + "/" + file_name);
  }
  KILL_POINT("store.remake.renamed");
  add_spare_name(file_name);
  *result = keep(std::move(object), file_name);
  return Status::success();
}

// Writes the header of a new object, and its body.
void Store::initialise(const OpenRequest& request, const KindOps& ops, Object* object) {
  Header* header = object->header();
  header->version = kFormatVersion;
  header->kind = request.kind;
  header->signature = layout_signature();
  header->byte_length = object->length_;
  header->flags.store((request.persistent ? kPersistent : 0u) |
                      (request.anonymous ? kAnonymous : 0u));
  const uint64_t tag = registry_.next_serial();
  header->tag = tag;
  for (uint64_t i = 1; i < kTags; i++) registry_.next_serial();
  KILL_POINT("store.make.tag");
  header->created_us = platform::realtime_us();
  header->creator_pid = platform::current_pid();
  header->initial = request.initial;
  const uint32_t table_offset = table_offset_of(ops, request.name.size());
  write_name(header, ops, request.name);
  const OwnerWords words = owner_words_of(ops, request.initial, table_offset);
  header->owners_offset = words.offset;
  header->owners_stride = words.stride;
  header->owners_count = words.count;
  KILL_POINT("store.make.header");
  header->state.store(State::making);
  KILL_POINT("store.make.making");
  // Not from the file: others can write there by now.
  object->remember(request.kind, table_offset, request.initial, tag, request.name);
  if (ops.initialise != nullptr) ops.initialise(*object, request);
  KILL_POINT("store.make.body");
}

// Of an object that nobody else uses.
platform::OsError Store::make_semaphore(const std::string& key, Object* object) {
  Header* header = object->header();
  const KindOps& ops = *ops_of(object->kind());
  const uint32_t value = ops.prepare_semaphore != nullptr ? ops.prepare_semaphore(*object) : 1;
  std::string posix_name = "/hf-" + key;
  platform::NamedSemaphore semaphore;
  for (int attempt = 0;; attempt++) {
    memcpy(header->posix_name, posix_name.c_str(), posix_name.size() + 1);
    KILL_POINT("store.make.posix_name");
    // After the name: until both are there, a copy of the file does not count as its home.
    header->home_inode = object->inode_;
    header->home_device = object->device_;
    KILL_POINT("store.make.home");
    // INV-10: from here on, an agent that cleans up after us knows the name.
    header->magic.store(kMagic);
    KILL_POINT("store.make.named");
    HOLDFAST_INVARIANT(INV_10, header->posix_name == posix_name && header->magic == kMagic);
    const platform::OsError error =
        platform::create_semaphore(posix_name.c_str(), value, &semaphore);
    KILL_POINT("store.make.semaphore");
    object->posix_name_ = posix_name;
    if (!error) {
      keep_semaphore_open(object, semaphore);
      if ((header->flags.load() & kPersistent) != 0) make_persistent(*object);
    }
    if (error.errnum != EEXIST || attempt == 8) return error;
    // The key belongs to this directory and this name, and no other file has it. So the semaphore
    // is left from before the directory was emptied: remove it. If that is not allowed, another
    // user made it: take another name.
    if (platform::unlink_semaphore(posix_name.c_str())) {
      posix_name = "/hf-" + random_key(semaphores_.prefix());
    }
  }
}

}  // namespace holdfast::core
