// One JS thread as the others see it. All members are for that thread alone.
#ifndef HOLDFAST_CORE_AGENT_H
#define HOLDFAST_CORE_AGENT_H

#include <memory>
#include <string>
#include <vector>

#include "core/store.h"

namespace holdfast::core {

class Agent {
 public:
  static Status begin(std::shared_ptr<Store> store, uint32_t thread_id,
                      const std::string& process_name, std::unique_ptr<Agent>* agent);
  ~Agent() { end(); }
  Agent(const Agent&) = delete;
  Agent& operator=(const Agent&) = delete;

  // From here on everybody takes the agent for dead. What it still holds is abandoned.
  void end();

  AgentId id() const { return id_; }
  int bell() const { return bell_fd_; }
  Store& store() { return *store_; }
  Registry& registry() { return store_->registry(); }
  platform::MutexParty party();
  // May this thread lock mutexes that the kernel knows the owner of? Not if an agent in another pid
  // namespace has the same thread number: the kernel would take the one for the other when one dies.
  bool may_lock_mutexes() const { return platform::traits::kTimedWaits && lone_number_; }

  // The tags that rang since the last call, each once.
  std::vector<uint64_t> take_rings();
  // Puts rings that were not for the caller back, so that the event loop finds them.
  void put_back(const std::vector<uint64_t>& tags);

 private:
  Agent() = default;
  std::shared_ptr<Store> store_;
  AgentId id_ = 0;
  int bell_fd_ = -1;
  bool lone_number_ = true;
};

}  // namespace holdfast::core

#endif
