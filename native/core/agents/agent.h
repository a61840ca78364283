// One JS thread as the others see it. All members are for that thread alone.
#ifndef HOLDFAST_CORE_AGENTS_AGENT_H
#define HOLDFAST_CORE_AGENTS_AGENT_H

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/agents/long_looks.h"
#include "core/store/store.h"

namespace holdfast::core {

// Is told when the watches of an agent change, so that the event loop can poll them too.
class Watcher {
 public:
  virtual ~Watcher() = default;
  virtual bool watch_begins(size_t place) = 0;  // false if the event loop cannot poll it
  virtual void watch_ends(size_t place) = 0;    // before the watch ends
};

// The number of the hold of one object that an agent has, or had last. All places where the agent
// has the object open share it; no other agent knows it. A guard compares it with its own number.
// Only this thread can write its id into an owner word. So id and number together say exactly which
// hold it is, even if other agents release and acquire.
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

  // From here on others take the agent for dead, and what it still holds is abandoned. Waits for
  // nothing, so that those who wait for it go on at once.
  void end();
  // The same, and gives its slot back. That may wait for the directory's lock.
  void leave();

  AgentId id() const { return id_; }
  platform::Doorbell& doorbell() { return doorbell_; }
  Store& store() { return *store_; }
  Registry& registry() { return store_->registry(); }
  platform::MutexParty party();
  // May this thread lock one more mutex of which the kernel knows the owner? Not if an agent in
  // another pid namespace has the same thread number: the kernel would take the one for the other
  // when one dies. And not if it has kMutexesMax of them.
  bool may_lock_mutexes() const { return is_known_to_kernel_ && mutex_count_ < kMutexesMax; }
  // When a thread dies, the kernel marks the last 2,048 mutexes that it locked and no more
  // (ROBUST_LIST_LIMIT). Half of them is for us; the rest is for other code in the thread.
  static constexpr size_t kMutexesMax = 1024;
  // The mutexes that it keeps for longer than one call. The kernel's list of them points into their
  // mappings, so a locked one must never be unmapped. Which they are is noted here, because other
  // programs may write into the files. Only where may_lock_mutexes() said yes.
  void has_locked(const platform::traits::MutexStorage* mutex) { mutexes_[mutex_count_++] = mutex; }
  // Forgets that it has this mutex. False if it did not have it.
  bool forget_mutex(const platform::traits::MutexStorage* mutex);

  std::shared_ptr<HoldNumber> hold_number(const Object& object);
  uint64_t next_hold() { return ++holds_; }  // no other hold of this agent, of any object, has it

  // A waiter watches the agents that it waits for, and looks at once when one of them dies. Without
  // a watch it would look at its next slice. The last watches stay open: they are few, because a
  // waiter waits for one holder, and the same agents hold again and again.
  void watch(AgentId id);
  // Does the event loop call when this agent dies? It does of those that are watched, unless it
  // could not poll. This thread's own end needs no watch.
  bool hears_of(AgentId id) const {
    return id == id_ || (id != 0 && heard_of_[id % platform::kWatchesMax] == id);
  }
  // The same, for one that will rely on it: if the event loop does not get the news, it is told.
  bool will_hear_of(AgentId id) {
    if (!hears_of(id)) return false;
    relies_on_news_ = true;
    return true;
  }
  // From now on it needs its watches: when one ends, the thread is woken, once, by tag 0.
  void relies_on_watches() { relies_on_watches_ = true; }
  void end_watch(size_t place);
  // Ends those whose agents have died.
  void end_dead_watches();
  // Closes the descriptors that are open only because they may be needed again. False if there are
  // none.
  bool give_back_descriptors();
  void set_watcher(Watcher* watcher) { watcher_ = watcher; }
  // `waits`: where the event loop of this thread counts the objects that it waits for.
  void set_loop_waits(const int32_t* waits) { loop_waits_ = waits; }
  bool loop_waits() const { return loop_waits_ == nullptr || *loop_waits_ != 0; }
  LongLooks& long_looks() { return long_looks_; }

  // Blocks until a wake-up is in the doorbell, a watched agent dies, or the deadline passes.
  void wait(int64_t deadline_ns);

  // The tags in the doorbell since the last call, each once. 0: a watched agent has died.
  std::vector<uint64_t> take_wakes();
  // Puts wakes that were not for the caller back, so that the event loop finds them.
  void put_back(const std::vector<uint64_t>& tags);

 private:
  Agent() = default;
  // Ends the watches of those who have died. False if nobody has.
  bool take_deaths();
  // A death was noticed, and not by the event loop. If a wait there relies on it, the thread is
  // woken by tag 0.
  void pass_news_on();
  std::shared_ptr<Store> store_;
  AgentId id_ = 0;
  platform::Doorbell doorbell_;
  bool is_known_to_kernel_ = false;  // and by a thread number that nobody else has
  uint64_t holds_ = 0;
  std::unordered_map<const Object*, std::weak_ptr<HoldNumber>> hold_numbers_;
  size_t forget_at_ = 64;
  size_t mutex_count_ = 0;
  const platform::traits::MutexStorage* mutexes_[kMutexesMax];
  Watcher* watcher_ = nullptr;
  LongLooks long_looks_;
  const int32_t* loop_waits_ = nullptr;  // nullptr: nobody says
  // The id selects the place. The later one of two with the same place drives the other out.
  AgentId watched_[platform::kWatchesMax] = {};
  AgentId heard_of_[platform::kWatchesMax] = {};  // those of them that the event loop polls
  bool relies_on_watches_ = false;
  bool relies_on_news_ = false;
  int64_t next_look_ns_ = 0;
};

}  // namespace holdfast::core

#endif
