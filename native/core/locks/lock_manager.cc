#include "core/locks/lock_manager.h"

#include <algorithm>

#include "core/kill_point.h"
#include "core/locks/section.h"

namespace holdfast::core {

RequestAnswer LockManager::request(const LockName& name, const RequestMode& mode) {
  Section section(*this);
  if (!section.entered()) return {section.status(), {}, 0, false};
  RequestAnswer answer = request_in_section(name, mode);
  if (!cells_.is_damaged()) return answer;
  // It is refused, so it must not stay in the table. A death before this store is that of any agent
  // with a request.
  if (answer.id.cell != 0) cells_.at(answer.id.cell).owner.store(0);  // INV-20
  return {RequestStatus::corrupt, {}, 0, false};
}

RequestAnswer LockManager::request_in_section(const LockName& name, const RequestMode& mode) {
  if (name.bytes.size() > kLockNameMax) return {RequestStatus::full, {}, 0, false};
  if (!lines_.has_buckets()) return {RequestStatus::full, {}, 0, false};
  uint32_t leader = lines_.find(name);
  bool granted = mode.steal || is_grantable(leader, mode.exclusive);
  if (!granted) {
    leader = tend(leader);
    granted = is_grantable(leader, mode.exclusive);
  }
  if (!granted && mode.if_available) return {RequestStatus::unavailable, {}, 0, false};
  const uint32_t index = make_cell(name);
  if (index == 0) return {RequestStatus::full, {}, 0, false};
  leader = lines_.find(name);  // to make room, some may have left

  RequestCell& made = cells_.at(index);
  made.ticket = body_.last_ticket.fetch_add(1) + 1;
  KILL_POINT("lock_manager.request.last_ticket");
  if (mode.exclusive) made.flags |= kExclusive;
  if (granted) {
    begin_hold(made, agent_.id(), has_abandoned(leader) || (mode.steal && has_dead_holder(leader)));
  } else {
    made.state.store(static_cast<uint32_t>(RequestState::pending));
    body_.contentions.fetch_add(1, std::memory_order_relaxed);
  }
  KILL_POINT("lock_manager.request.state");
  made.owner.store(agent_.id());  // INV-20: now it is there
  KILL_POINT("lock_manager.request.owner");
  if (granted && mode.exclusive) leader = drop_abandoned(leader);
  if (mode.steal) {
    leader = evict_holders(leader);
    lines_.prepend(leader, index);
  } else {
    lines_.append(leader, index);
  }
  lines_.add_to_agent(index);
  return {granted ? RequestStatus::granted : RequestStatus::pending,
          {index, made.ticket},
          made.token,
          (made.flags & kAfterDeath) != 0};
}

// A cell with the name. If the table is full the dead leave it, and then the news of their deaths.
uint32_t LockManager::make_cell(const LockName& name) {
  for (const Burial burial : {Burial::none, Burial::of_the_dead, Burial::of_their_news}) {
    if (burial != Burial::none) {
      if (is_known_to_be_full()) return 0;
      bury_all(burial);
    }
    if (!has_room()) continue;
    if (const uint32_t index = cells_.make(name); index != 0) return index;
  }
  full_until_ns_ = platform::monotonic_ns() + kSlice_ns;
  full_of_.clear();
  for (const auto& [id, is_alive] : alive_) {
    if (is_alive) full_of_.push_back(id);
  }
  return 0;
}

// A look for the dead is a pass over all cells. Requests that are refused one after the other would
// keep others out. So there is one each slice, and one when an agent has died that was alive then.
bool LockManager::is_known_to_be_full() {
  if (platform::monotonic_ns() >= full_until_ns_) return false;
  return std::all_of(full_of_.begin(), full_of_.end(), [this](AgentId id) { return alive(id); });
}

RequestStatus LockManager::end(const RequestId& id) {
  Section section(*this);
  if (!section.entered()) return section.status();
  if (!is_mine(id)) return RequestStatus::gone;
  RequestStatus status = status_of(id.cell);
  if (status == RequestStatus::stolen) {
    end_stolen(id.cell);
  } else {
    const uint32_t leader = lines_.find(cells_.name_of(id.cell));
    serve(end_request(leader, id.cell));
  }
  if (cells_.is_damaged()) status = RequestStatus::corrupt;
  return status;
}

bool LockManager::collect(std::vector<RequestAnswer>* news) {
  Section section(*this);
  if (!section.entered()) return false;
  // What has to be told comes first in the list; what has been told goes to its end.
  for (uint32_t steps = cells_.used(); steps > 0; steps--) {
    const uint32_t index = lines_.first_of_agent(agent_.id());
    if (index == 0) break;
    const RequestCell& request = cells_.at(index);
    if (request.owner.load() != agent_.id()) {
      bury(index);  // of an agent that had the same slot before
    } else if ((request.flags & kUntold) != 0) {
      news->push_back(tell(index));
    } else {
      break;
    }
  }
  std::sort(news->begin(), news->end(), [](const RequestAnswer& one, const RequestAnswer& other) {
    return one.token < other.token;
  });
  return true;
}

RequestAnswer LockManager::collect_one(const RequestId& id) {
  Section section(*this);
  if (!section.entered()) return {section.status(), id, 0, false};
  if (!is_mine(id)) return {RequestStatus::gone, id, 0, false};
  if ((cells_.at(id.cell).flags & kUntold) == 0) return {RequestStatus::pending, id, 0, false};
  return tell(id.cell);
}

RequestAnswer LockManager::tell(uint32_t index) {
  RequestCell& request = cells_.at(index);
  const RequestAnswer answer = {
      status_of(index), {index, request.ticket}, request.token, (request.flags & kAfterDeath) != 0};
  if (answer.status == RequestStatus::stolen) {
    end_stolen(index);
    return answer;
  }
  request.flags &= ~kUntold;
  KILL_POINT("lock_manager.tell.flags");
  lines_.remove_from_agent(index);
  lines_.add_to_agent(index);
  return answer;
}

void LockManager::look() {
  Section section(*this);
  if (!section.entered()) return;
  // A request that leaves is taken out of the list, so the list is read first.
  std::vector<uint32_t> waiting;
  uint32_t index = lines_.first_of_agent(agent_.id());
  for (uint32_t steps = cells_.used(); steps > 0 && index != 0; steps--) {
    const RequestCell& request = cells_.at(index);
    if (is(request, RequestState::pending) && request.owner.load() == agent_.id()) {
      waiting.push_back(index);
    }
    index = request.agent_next;
  }
  for (const uint32_t one : waiting) {
    if (!is(cells_.at(one), RequestState::pending)) continue;
    watch(tend(lines_.find(cells_.name_of(one))));
  }
}

// Outside the critical section, too.
bool LockManager::is_settled(const RequestId& id) {
  const RequestCell& request = cells_.at(id.cell);
  return !is(request, RequestState::pending) || request.owner.load() != agent_.id();
}

bool LockManager::spin_briefly(const RequestId& id) {
  return spin_([&] { return is_settled(id); });
}

bool LockManager::wait(const RequestId& id, int64_t deadline_ns) {
  return wait_for_wakes(
      agent_, object_.tag(), deadline_ns, [&] { return is_settled(id); }, [] {}, [] {});
}

bool LockManager::has_requests() {
  Section section(*this);
  if (!section.entered()) return true;
  const uint32_t index = lines_.first_of_agent(agent_.id());
  return index != 0 && cells_.at(index).owner.load() == agent_.id();
}

// It was decided in the critical section whom to wake, and the woken agent reads the news in there.
// So no fence is needed, as it is where a waker looks for those who enrolled meanwhile (INV-4).
void LockManager::wake_granted() {
  if (granted_.empty()) return;
  std::sort(granted_.begin(), granted_.end());
  granted_.erase(std::unique(granted_.begin(), granted_.end()), granted_.end());
  for (const AgentId id : granted_) {
    if (id == agent_.id()) continue;
    agent_.registry().wake(id, object_.tag());
    KILL_POINT("lock_manager.wake_granted.one");
  }
  granted_.clear();
}

}  // namespace holdfast::core
