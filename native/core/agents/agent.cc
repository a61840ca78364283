#include "core/agents/agent.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace holdfast::core {

Status Agent::begin(std::shared_ptr<Store> store, uint32_t thread_id,
                    const std::string& process_name, std::unique_ptr<Agent>* result) {
  std::unique_ptr<Agent> agent(new Agent());
  bool lone_number = false;
  Status status =
      store->claim_agent(thread_id, process_name, &agent->id_, &agent->doorbell_, &lone_number);
  if (!status.ok()) return status;
  agent->is_known_to_kernel_ = lone_number && platform::kernel_marks_mutexes();
  agent->store_ = std::move(store);
  *result = std::move(agent);
  return status;
}

void Agent::end() {
  for (size_t place = 0; place < doorbell_.watched; place++) end_watch(place);
  platform::close_doorbell(&doorbell_);
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
  if (relies_on_news_ && watched_[place] != 0 && !registry().alive(watched_[place])) pass_news_on();
  end_watch(place);
  end_dead_watches();
  if (!registry().watch(id, &doorbell_, place)) return;  // dead, as the caller is about to see
  watched_[place] = id;
  if (watcher_ == nullptr || watcher_->watch_begins(place)) heard_of_[place] = id;
}

void Agent::end_watch(size_t place) {
  if (watched_[place] == 0) return;
  if (watcher_ != nullptr) watcher_->watch_ends(place);
  platform::end_watch(&doorbell_, place);
  watched_[place] = heard_of_[place] = 0;
  // INV-28: the waits of this thread that dozed look, and find out whether they still may.
  if (std::exchange(relies_on_watches_, false)) platform::write_doorbell(doorbell_.fd, 0);
}

void Agent::end_dead_watches() {
  // Once a second is enough: who waits for such news hears of it in another way.
  const int64_t now = platform::monotonic_ns();
  if (now < next_look_ns_) return;
  next_look_ns_ = now + 1000 * platform::kNanosPerMilli;
  if (take_deaths()) pass_news_on();
  registry().close_dead_writers();
}

bool Agent::give_back_descriptors() {
  bool any = registry().close_writers();
  for (size_t place = 0; place < doorbell_.watched; place++) {
    any |= watched_[place] != 0;
    end_watch(place);
  }
  return any;
}

bool Agent::take_deaths() {
  bool any = false;
  for (int dead; (dead = platform::take_death(&doorbell_)) >= 0; any = true) {
    end_watch(static_cast<size_t>(dead));
  }
  return any;
}

void Agent::wait(int64_t deadline_ns) {
  const int dead = platform::wait_doorbell(&doorbell_, deadline_ns);
  if (dead < 0) return;
  end_watch(static_cast<size_t>(dead));
  pass_news_on();
}

void Agent::pass_news_on() {
  if (std::exchange(relies_on_news_, false)) platform::write_doorbell(doorbell_.fd, 0);
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
    const size_t got = platform::read_doorbell(doorbell_, batch, 64);
    for (size_t i = 0; i < got; i++) {
      if (std::find(tags.begin(), tags.end(), batch[i]) == tags.end()) tags.push_back(batch[i]);
    }
    if (got < 64) break;
  }
  // A queue of its own stays readable until its news of deaths are taken, too.
  if (doorbell_.queue_fd >= 0 && take_deaths()) tags.push_back(0);
  return tags;
}

void Agent::put_back(const std::vector<uint64_t>& tags) {
  for (const uint64_t tag : tags) platform::write_doorbell(doorbell_.fd, tag);
}

}  // namespace holdfast::core
