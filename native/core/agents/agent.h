// One JS thread as the others see it. All members are for that thread alone.
#ifndef HOLDFAST_CORE_AGENTS_AGENT_H
#define HOLDFAST_CORE_AGENTS_AGENT_H

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/store/store.h"

namespace holdfast::core {

// Who is told when the watches of an agent change: the event loop polls them too.
class Watcher {
 public:
  virtual ~Watcher() = default;
  virtual void watch_begins(size_t place) = 0;
  virtual void watch_ends(size_t place) = 0;  // before the watch ends
};

// Which of its holds of one object an agent has, or had last: shared by all its handles of that
// object, and known to nobody else. A guard compares it with its own. Only this thread can bring
// its id into an owner word, so the two together say exactly whose the hold is, whoever else
// releases and acquires.
struct HoldNumber {
  uint64_t value = 0;
  std::vector<uint64_t> at;  // BoundedSemaphore: of each permit
};

class Agent {
 public:
  static Status begin(std::shared_ptr<Store> store, uint32_t thread_id,
                      const std::string& process_name, std::unique_ptr<Agent>* agent);
  ~Agent() { leave(); }
  Agent(const Agent&) = delete;
  Agent& operator=(const Agent&) = delete;

  // From here on everybody takes the agent for dead. What it still holds is abandoned. Waits for
  // nothing, so that its heirs do not wait either.
  void end();
  // The same, and takes its name out of the registry; that may wait for the directory's lock.
  void leave();

  AgentId id() const { return id_; }
  platform::Doorbell& doorbell() { return doorbell_; }
  Store& store() { return *store_; }
  Registry& registry() { return store_->registry(); }
  platform::MutexParty party();
  // May this thread lock one more mutex of which the kernel knows the owner? Not if an agent in
  // another pid namespace has the same thread number: the kernel would take the one for the other
  // when one dies. And not if it has kMutexesMax of them.
  bool may_lock_mutexes() const {
    return platform::traits::kTimedWaits && lone_number_ && mutex_count_ < kMutexesMax;
  }
  // When a thread dies, the kernel marks the last 2,048 mutexes that it locked and no more
  // (ROBUST_LIST_LIMIT). Half of them is for us; the rest is for other code in the thread.
  static constexpr size_t kMutexesMax = 1024;
  // The mutexes that it has, beyond one call. The kernel's list of them points into their mappings,
  // so which they are must not be read from there: whatever is written to a file, none is unmapped
  // locked. Only where may_lock_mutexes() said yes.
  void has_locked(const platform::traits::MutexStorage* mutex) { mutexes_[mutex_count_++] = mutex; }
  // Had it that one? Not any more.
  bool forget_mutex(const platform::traits::MutexStorage* mutex);

  std::shared_ptr<HoldNumber> hold_number(const Object& object);
  uint64_t next_hold() { return ++holds_; }  // unlike any that this agent had, of whatever object

  // News of death: whoever waits watches those it waits for, and its wait ends when one of them
  // dies. That spares it the rest of its slice and is no more than that. The last watches stay
  // open; there are few at a time, because one waits for one holder and holders come back.
  void watch(AgentId id);
  void end_watch(size_t place);
  // Ends those whose agents have died.
  void end_dead_watches();
  // Closes what is open only because it may be needed again. False if there was nothing.
  bool give_back_descriptors();
  void set_watcher(Watcher* watcher) { watcher_ = watcher; }

  // Blocks until the doorbell was woken, somebody who is watched has died, or the deadline has
  // passed.
  void wait(int64_t deadline_ns);

  // The tags that rang since the last call, each once. 0: somebody who is watched has died.
  std::vector<uint64_t> take_wakes();
  // Puts wakes that were not for the caller back, so that the event loop finds them.
  void put_back(const std::vector<uint64_t>& tags);

 private:
  Agent() = default;
  // Ends the watches of those who have died. False if nobody has.
  bool take_deaths();
  std::shared_ptr<Store> store_;
  AgentId id_ = 0;
  platform::Doorbell doorbell_;
  bool lone_number_ = true;
  uint64_t holds_ = 0;
  std::unordered_map<const Object*, std::weak_ptr<HoldNumber>> hold_numbers_;
  size_t forget_at_ = 64;
  size_t mutex_count_ = 0;
  const platform::traits::MutexStorage* mutexes_[kMutexesMax];
  Watcher* watcher_ = nullptr;
  // By id: two that meet in one place drive each other out.
  AgentId watched_[platform::kWatchesMax] = {};
  int64_t next_look_ns_ = 0;
};

}  // namespace holdfast::core

#endif
