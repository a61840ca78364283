// What inspect_file() found under a file name.
#ifndef HOLDFAST_CORE_STORE_FOUND_H
#define HOLDFAST_CORE_STORE_FOUND_H

#include "core/store/format.h"
#include "core/store/store.h"

namespace holdfast::core {

// Is it a name that only holdfast gives to semaphores? If a file names another one, that one is
// neither opened nor removed.
bool is_semaphore_name(const char* name);

// Owns the descriptor until it is taken out of `fd`.
struct Store::Found {
  // half_made: or half removed; then it may be in use.
  enum class What { nothing, half_made, object } what = What::nothing;
  Header header;     // a private copy, of what == object, or of half_made with a semaphore name
  std::string name;  // of what == object
  bool is_foreign = false;  // its format is another one than this program's
  bool in_use = false;      // by anyone, this process included
  int fd = -1;              // locked: shared if in use, otherwise exclusively
  platform::FileFacts facts;
  ~Found() {
    if (fd < 0) return;
    // Explicitly: a child between fork and exec may share the file description, and the lock with
    // it.
    platform::unlock_file(fd);
    platform::close_descriptor(fd);
  }

  // An object whose users are all dead.
  bool is_leftover() const { return what == What::object && !in_use && !persistent(); }
  // See kind_ops.h.
  AgentId unreported_death() const;
  // Nobody will miss it.
  bool is_litter() const { return is_leftover() && unreported_death() == 0; }
  // If it is foreign: the error for those who want to open it.
  Status foreign_status() const;
  bool persistent() const { return (header.flags.load() & kPersistent) != 0; }
  // The name of the object's semaphore, "" if it has none. A copy of a file names the semaphore of
  // the original, so there it counts as none, unless the copy is in use: then it has one of its
  // own. Formats below 5 do not say which file they were made for.
  const char* semaphore_name() const {
    const bool is_home = header.home_device == facts.device && header.home_inode == facts.inode;
    return in_use || is_home || header.version < 5 ? header.posix_name : "";
  }
};

}  // namespace holdfast::core

#endif
