#include "core/agent.h"

#include <algorithm>
#include <utility>

namespace holdfast::core {

Status Agent::begin(std::shared_ptr<Store> store, uint32_t thread_id,
                    const std::string& process_name, std::unique_ptr<Agent>* result) {
  std::unique_ptr<Agent> agent(new Agent());
  Status status = store->claim_agent(thread_id, process_name, &agent->id_, &agent->bell_fd_,
                                     &agent->lone_number_);
  if (!status.ok()) return status;
  agent->store_ = std::move(store);
  *result = std::move(agent);
  return status;
}

void Agent::end() {
  if (bell_fd_ >= 0) store_->vacate_agent(id_, std::exchange(bell_fd_, -1));
}

platform::MutexParty Agent::party() {
  return {id_,
          [](uint64_t id, void* registry) { return static_cast<Registry*>(registry)->alive(id); },
          &registry()};
}

std::vector<uint64_t> Agent::take_rings() {
  std::vector<uint64_t> tags;
  uint64_t batch[64];
  // Bounded, so that a storm of rings cannot keep us here: a FIFO holds a few thousand at most.
  for (int round = 0; round < 128; round++) {
    const size_t got = platform::read_bell(bell_fd_, batch, 64);
    for (size_t i = 0; i < got; i++) {
      if (std::find(tags.begin(), tags.end(), batch[i]) == tags.end()) tags.push_back(batch[i]);
    }
    if (got < 64) break;
  }
  return tags;
}

void Agent::put_back(const std::vector<uint64_t>& tags) {
  for (const uint64_t tag : tags) platform::ring(bell_fd_, tag);
}

}  // namespace holdfast::core
