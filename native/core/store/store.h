// The directory of one user and everything in it: creating, opening, closing, sweeping, listing.
// One Store a process, shared by its agents; one Object an open name, shared by its handles.
//
// INV-8 Files, semaphores, slots and bells come and go only under the directory's lock, which ends
// with its holder.
// INV-9 Whoever uses an object holds a shared flock on its file for as long. "Is it in use" is "can
// I have the exclusive one", and the kernel's answer is right after any crash. INV-10 An object's
// semaphore exists only while a file names it: the name is written before the semaphore is made,
// and the file is removed after it.
#ifndef HOLDFAST_CORE_STORE_STORE_H
#define HOLDFAST_CORE_STORE_STORE_H

#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/layout.h"
#include "core/agents/registry.h"
#include "core/status.h"

namespace holdfast::core {

// 0 in a field: not asked for. A new queue then takes the default, an existing one stays as it is.
struct QueueLimits {
  uint64_t max_items = 0;
  uint64_t max_bytes = 0;
  uint32_t codec = 0;
};

struct OpenRequest {
  Kind kind = Kind::lock;
  std::string name;           // 1..255 bytes of UTF-8, no NUL: checked by the caller
  std::string file_key;       // digest of the name: [0-9a-f]{26}
  std::string semaphore_key;  // digest of the user, the directory and the name, alike
  bool exclusive = false;
  bool must_exist = false;
  bool persistent = false;
  bool anonymous = false;
  uint32_t initial = 1;
  bool initial_given = false;
  QueueLimits queue;
  uint64_t bytes = 0;  // SharedMemory; 0: as it is
  // Condition: the lock that it goes with. Not given: a new one goes with this, an old one with its
  // own.
  Kind lock_kind = Kind::rlock;
  std::string lock_name;
  bool lock_given = false;
};

class Object {
 public:
  Header* header() const { return static_cast<Header*>(base_); }
  // What never changes is kept here: the file is in reach of every program of the user.
  Kind kind() const { return kind_; }
  const std::string& name() const { return name_; }
  const std::string& posix_name() const { return posix_name_; }
  uint32_t initial() const { return initial_; }
  template <class Body>
  Body* body() const {
    return reinterpret_cast<Body*>(static_cast<char*>(base_) + sizeof(Header));
  }
  // What follows the body: a ring, a table, or bytes.
  char* table() const { return static_cast<char*>(base_) + body_length(kind()); }
  uint64_t table_length() const { return length_ - body_length(kind()); }
  template <class Entry>
  Entry& entry(uint64_t index) const {
    return reinterpret_cast<Entry*>(table())[index];
  }
  int descriptor() const { return fd_; }
  platform::NamedSemaphore semaphore() const { return semaphore_; }
  uint64_t tag() const { return tag_; }

 private:
  friend class Store;
  bool has_news() const;
  // Nobody uses the object: whatever says otherwise is left by the dead.
  void forget_users();
  void remember(Kind kind, uint32_t initial, uint64_t tag, std::string name);
  void* base_ = nullptr;
  size_t length_ = 0;
  int fd_ = -1;
  platform::NamedSemaphore semaphore_;
  std::string file_name_;
  Kind kind_ = Kind::registry;
  uint32_t initial_ = 0;
  uint64_t tag_ = 0;
  std::string name_;
  std::string posix_name_;
  uint32_t users_ = 0;
};

struct Listing {
  Kind kind;
  std::string name;
  bool persistent;
  bool in_use;
};

class Store {
 public:
  // `directory` absolute, "" for the default one.
  static Status enter(const std::string& directory, std::shared_ptr<Store>* store);
  ~Store();
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  Status open(const OpenRequest& request, Object** object);
  void close(Object* object);
  // Takes the name away. Those who have the object open keep it; the next open makes a new one.
  Status unlink(Kind kind, const std::string& name, const std::string& file_key);
  Status unlink(Object* object);
  Status list(std::vector<Listing>* listings);

  Status claim_agent(uint32_t thread_id, const std::string& process_name, AgentId* id, int* bell_fd,
                     bool* lone_number);
  void vacate_agent(AgentId id, int bell_fd);

  Registry& registry() { return registry_; }
  const std::string& directory() const { return directory_; }

 private:
  class Locked;
  struct Found;
  Store() = default;

  static Status compare(const OpenRequest& request, const Found& found);
  static Status compare_limits(const QueueLimits& wanted, int fd);
  static Status compare_lock(const OpenRequest& request, int fd);
  static bool is_leftover(const Found& found);
  static bool has_news(const Found& found);
  Status open_registry();
  Status check_surroundings();
  bool has_objects_in_use();
  Status inspect_file(const std::string& file_name, Found* found);
  Status make(const OpenRequest& request, const std::string& file_name, Object** object);
  Status adopt(const OpenRequest& request, Found& found, Object** object);
  platform::OsError make_semaphore(const std::string& key, Object* object);
  void destroy(const char* posix_name, const std::string& file_name);
  // The same for what may be in use.
  Status take_name_away(int fd, const char* posix_name, const std::string& file_name);
  void sweep();
  void sweep_if_due();

  std::string directory_;
  bool is_default_ = false;
  int directory_fd_ = -1;
  int registry_fd_ = -1;
  void* registry_base_ = nullptr;
  Registry registry_;
  std::mutex mutex_;
  std::unordered_map<std::string, Object*>
      objects_;  // by file name; what has lost its name is not here
  int64_t next_sweep_ns_ = 0;
};

}  // namespace holdfast::core

#endif
