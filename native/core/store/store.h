// The directory of one user and everything in it: making, opening, closing, sweeping, listing. A
// process has one Store for each directory that it uses; its agents share it. A Store has one
// Object for each name that is open in the process.
//
// INV-8 Files, semaphores, slots and doorbells come and go only under the directory's lock. The
// kernel releases that lock when its holder dies.
//
// INV-9 Every user of an object has a shared flock on its file. The object is in use if nobody can
// get the exclusive flock, and this answer of the kernel is right after any crash.
//
// INV-10 An object's semaphore exists only while a file names it: the name is written before the
// semaphore is made, and the file is removed after it.
#ifndef HOLDFAST_CORE_STORE_STORE_H
#define HOLDFAST_CORE_STORE_STORE_H

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/layout.h"
#include "core/registry/registry.h"
#include "core/registry/wait_record.h"
#include "core/status.h"
#include "core/store/directory_mark.h"
#include "core/store/object.h"
#include "core/store/observation.h"
#include "core/store/open_request.h"
#include "core/store/semaphore_home.h"

namespace holdfast::core {

struct KindOps;

struct Listing {
  Kind kind;
  std::string name;
  bool persistent;
  bool in_use;
  std::string format;  // "" if it is this program's
  Observation seen;    // if it was asked for
};

// Store::unlink: a kind that this version does not know.
constexpr Kind kUnknownKind{0};

class Store {
 public:
  // `directory` absolute, "" for the default one.
  static Status enter(const std::string& directory, std::shared_ptr<Store>* store);
  ~Store();
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  Status open(const OpenRequest& request, Object** object);
  void close(Object* object);
  // Takes the name away; the object may have any format. Those who have it open keep it, and the
  // next open makes a new one.
  Status unlink(Kind kind, const std::string& name, const std::string& file_key);
  Status unlink(Object* object);
  enum class Look { at_headers, at_bodies };
  Status list(std::vector<Listing>* listings, Look look = Look::at_headers);
  // Are there files that this process has not looked at since it found them?
  bool is_sweeping() const { return is_sweeping_.load(std::memory_order_relaxed); }
  // Looks at some of them, if the directory is not locked. True if there are more.
  bool sweep_further();

  // Is the directory, or the object's file, what others find under that name? Code::removed if not.
  // Some system calls.
  Status look_at(Object& object);
  Status look_around() const { return check_surroundings(); }
  // True once, for the first who asks: the process is warned of a removal once.
  bool is_news() { return !told_.exchange(true); }

  Status claim_agent(uint32_t thread_id, const std::string& process_name, AgentId* id,
                     platform::Doorbell* doorbell, bool* lone_number);
  void vacate_agent(AgentId id);  // whose doorbell is closed

  // ---- what agents tell of their long waits (core/agents/told_waits.h)

  // The agent's file, which is made if need be. Code::busy if the directory is locked.
  Status open_wait_record(AgentId agent, int* fd);
  // Of all live agents.
  std::vector<WaitRecord> wait_records();
  // With the directory locked: writes, if the texts of those agents are as they were seen.
  bool exchange_wait_record(int fd, uint64_t version, const std::string& text,
                            const std::vector<WaitRecord>& seen);

  // Tells the directory from every other one that exists now, also if others use another path to
  // it.
  const std::string& identity() const { return identity_; }
  // What the names of its semaphores begin with, after "/hf-".
  const std::string& semaphore_prefix() const { return semaphores_.prefix(); }
  // The rest of the name of a new one, with the prefix: OpenRequest::semaphore_key.
  std::string semaphore_key(const std::string& file_key) const { return semaphores_.key(file_key); }
  Registry& registry() { return registry_; }
  const std::string& directory() const { return directory_; }

 private:
  class Locked;
  struct Found;
  Store() = default;

  static Status compare(const OpenRequest& request, const Found& found);
  Status identify();
  Status open_registry();
  Status check_nobody_uses_what_was_removed();
  Status check_surroundings() const;
  void add_spare_name(const std::string& file_name);
  void remove_spare_name(const std::string& file_name);
  bool has_name(const Object& object) const;
  Status mend_names(const std::string& file_name);
  Status find(const std::string& file_name, Found* found);
  std::vector<std::string> list_files(platform::OsError* error);
  bool has_lost_its_file(const Object& object) const;
  void renew_semaphore(Object& object);
  std::string other_users() const;
  // A failed system call in the directory, or on a semaphore: what it means and what to do.
  Status directory_status(const platform::OsError& error, const std::string& what) const;
  static Status semaphore_status(const platform::OsError& error, const Object& object);
  static void make_persistent(Object& object);
  static void keep_semaphore_open(Object* object, platform::NamedSemaphore semaphore);
  bool has_objects();
  bool has_objects_in_use();
  static bool is_of_another_boot(const Found& registry);
  void destroy_all();
  bool is_unused_object(const std::string& file_name);
  void observe(const Found& found, Observation* seen);
  Status inspect_file(const std::string& file_name, Found* found);
  Status make(const OpenRequest& request, const std::string& file_name, Object** object);
  Status build(const OpenRequest& request, const std::string& file_name,
               std::unique_ptr<Object>* object);
  // Makes a foreign object anew that nobody uses. `dead` died holding it: the next holder is told.
  Status remake(const OpenRequest& request, const Found& found, AgentId dead, Object** object);
  void destroy_draft(const std::string& file_name);
  Object* keep(std::unique_ptr<Object> object, const std::string& file_name);
  void initialise(const OpenRequest& request, const KindOps& ops, Object* object);
  Object* reopen(const OpenRequest& request, const std::string& file_name, int fd);
  Status open_semaphore(const OpenRequest& request, const Found& found, Object* object);
  Status adopt(const OpenRequest& request, Found& found, Object** object);
  platform::OsError make_semaphore(const std::string& key, Object* object);
  void destroy(const char* posix_name, const std::string& file_name);
  // Gives back everything that an open object takes of this process.
  static void let_go(const Object& object);
  // The same for what may be in use.
  Status take_name_away(int fd, const char* posix_name, const std::string& file_name);
  int64_t dying_until_ns();
  void begin_sweep();
  void sweep_step();
  void sweep_file(const std::string& file_name);
  void sweep_if_due();

  std::string directory_;
  std::string identity_;
  DirectoryMark mark_;
  SemaphoreHome semaphores_;
  std::atomic<bool> told_{false};
  uint64_t device_ = 0, inode_ = 0;  // of the directory
  uint64_t registry_inode_ = 0;
  bool is_default_ = false;
  int directory_fd_ = -1;
  int registry_fd_ = -1;
  void* registry_base_ = nullptr;
  Registry registry_;
  std::mutex mutex_;
  bool is_locked_ = false;  // has this process the directory's lock? Under mutex_
  // By file name. What has lost its name is not here.
  std::unordered_map<std::string, Object*> objects_;
  int64_t next_sweep_ns_ = 0;
  std::vector<std::string> to_sweep_;
  std::atomic<bool> is_sweeping_{false};
  int64_t sweep_ns_ = 0;        // that this sweep has taken so far
  int64_t hurry_until_ns_ = 0;  // see Locked
  int64_t dying_until_ns_ = 0;  // while this process has the directory's lock; 0: not asked yet
};

}  // namespace holdfast::core

#endif
