#include "core/agents/agent.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace holdfast::core {

Agent::Agent() { std::fill(std::begin(watch_fds_), std::end(watch_fds_), -1); }

Status Agent::begin(std::shared_ptr<Store> store, uint32_t thread_id,
                    const std::string& process_name, std::unique_ptr<Agent>* result) {
  std::unique_ptr<Agent> agent(new Agent());
  Status status = store->claim_agent(thread_id, process_name, &agent->id_, &agent->doorbell_fd_,
                                     &agent->lone_number_);
  if (!status.ok()) return status;
  agent->store_ = std::move(store);
  *result = std::move(agent);
  return status;
}

void Agent::end() {
  for (size_t place = 0; place < watch_count_; place++) end_watch(place);
  if (doorbell_fd_ >= 0) platform::close_descriptor(std::exchange(doorbell_fd_, -1));
}

void Agent::leave() {
  end();
  if (id_ != 0) store_->vacate_agent(std::exchange(id_, 0));
}

std::shared_ptr<HoldNumber> Agent::hold_number(const Object& object) {
  // An address may be another object's by now; then nobody has the old number any more.
  std::weak_ptr<HoldNumber>& known = hold_numbers_[&object];
  std::shared_ptr<HoldNumber> number = known.lock();
  if (number != nullptr) return number;
  known = number = std::make_shared<HoldNumber>();
  if (hold_numbers_.size() >= forget_at_) {
    for (auto it = hold_numbers_.begin(); it != hold_numbers_.end();) {
      it = it->second.expired() ? hold_numbers_.erase(it) : std::next(it);
    }
    forget_at_ = 2 * hold_numbers_.size() + 64;
  }
  return number;
}

void Agent::watch(AgentId id) {
  const size_t place = id % platform::kWatchesMax;
  if (watched_[place] == id || id == id_ || id == 0) return;
  end_watch(place);
  end_dead_watches();
  const int fd = registry().open_watch(id);
  if (fd < 0) return;  // dead, as the caller is about to see, or no descriptor to spare
  watched_[place] = id;
  watch_fds_[place] = fd;
  watch_count_ = std::max(watch_count_, place + 1);
  if (watcher_ != nullptr) watcher_->watch_begins(place, fd);
}

void Agent::end_watch(size_t place) {
  if (watch_fds_[place] < 0) return;
  if (watcher_ != nullptr) watcher_->watch_ends(place);
  platform::close_descriptor(std::exchange(watch_fds_[place], -1));
  watched_[place] = 0;
}

void Agent::end_dead_watches() {
  // Nothing waits for it, so once a second is enough.
  const int64_t now = platform::monotonic_ns();
  if (now < next_look_ns_) return;
  next_look_ns_ = now + 1000 * platform::kNanosPerMilli;
  for (size_t place = 0; place < watch_count_; place++) {
    if (watch_fds_[place] >= 0 && !platform::has_reader(watch_fds_[place])) end_watch(place);
  }
  registry().close_dead_writers();
}

bool Agent::give_back_descriptors() {
  bool any = registry().close_writers();
  for (size_t place = 0; place < watch_count_; place++) {
    any |= watch_fds_[place] >= 0;
    end_watch(place);
  }
  return any;
}

void Agent::wait(int64_t deadline_ns) {
  const int dead = platform::wait_doorbell(doorbell_fd_, watch_fds_, watch_count_, deadline_ns);
  if (dead >= 0) end_watch(static_cast<size_t>(dead));
}

bool Agent::forget_mutex(const platform::traits::MutexStorage* mutex) {
  // The last one first: locks are mostly released in the reverse order.
  for (size_t i = mutex_count_; i-- > 0;) {
    if (mutexes_[i] != mutex) continue;
    mutexes_[i] = mutexes_[--mutex_count_];
    return true;
  }
  return false;
}

platform::MutexParty Agent::party() {
  return {id_,
          [](uint64_t id, void* registry) { return static_cast<Registry*>(registry)->alive(id); },
          &registry()};
}

std::vector<uint64_t> Agent::take_wakes() {
  std::vector<uint64_t> tags;
  uint64_t batch[64];
  // Bounded, so that a storm of wakes cannot keep us here: a FIFO holds a few thousand at most.
  for (int round = 0; round < 128; round++) {
    const size_t got = platform::read_doorbell(doorbell_fd_, batch, 64);
    for (size_t i = 0; i < got; i++) {
      if (std::find(tags.begin(), tags.end(), batch[i]) == tags.end()) tags.push_back(batch[i]);
    }
    if (got < 64) break;
  }
  return tags;
}

void Agent::put_back(const std::vector<uint64_t>& tags) {
  for (const uint64_t tag : tags) platform::write_doorbell(doorbell_fd_, tag);
}

}  // namespace holdfast::core
