// What happens to the line of a name: who may hold, who is granted, who leaves.
#include <algorithm>

#include "core/invariant.h"
#include "core/kill_point.h"
#include "core/locks/lock_manager.h"

namespace holdfast::core {

bool LockManager::alive(AgentId id) {
  if (id == agent_.id() || id == last_alive_) return true;
  auto found = alive_.find(id);
  if (found == alive_.end()) found = alive_.emplace(id, agent_.registry().alive(id)).first;
  if (found->second) last_alive_ = id;
  return found->second;
}

bool LockManager::is_mine(const RequestId& id) {
  if (id.cell == 0 || id.cell > cells_.used()) return false;
  const RequestCell& request = cells_.at(id.cell);
  return request.owner.load() == agent_.id() && request.ticket == id.ticket;
}

RequestStatus LockManager::status_of(uint32_t index) {
  const RequestCell& request = cells_.at(index);
  if (is(request, RequestState::pending)) return RequestStatus::pending;
  return is(request, RequestState::held) ? RequestStatus::granted : RequestStatus::stolen;
}

bool LockManager::has_abandoned(uint32_t leader) {
  return leader != 0 && is(cells_.at(leader), RequestState::abandoned);
}

// For a thief: it does not wait until somebody has seen that the holder is dead.
bool LockManager::has_dead_holder(uint32_t leader) {
  const uint32_t holder = lines_.first_holder(leader);
  if (holder == 0 || (cells_.at(holder).flags & kExclusive) == 0) return false;
  return !alive(cells_.at(holder).owner.load());
}

// For a request that comes last in line.
bool LockManager::is_grantable(uint32_t leader, bool exclusive) {
  if (leader == 0) return true;
  if (cells_.at(leader).first_pending != 0) return false;
  const uint32_t holder = lines_.first_holder(leader);
  return holder == 0 || (!exclusive && (cells_.at(holder).flags & kExclusive) == 0);
}

// INV-20: `state` says that it holds. All that belongs to it is written before.
void LockManager::begin_hold(RequestCell& request, AgentId owner, bool after_death) {
  if (after_death) request.flags |= kAfterDeath;
  const uint64_t token = body_.last_token.fetch_add(1) + 1;  // INV-22
  KILL_POINT("lock_manager.begin_hold.last_token");
  HOLDFAST_INVARIANT(INV_22, token > request.token);
  request.token = token;
  if ((request.flags & kExclusive) != 0) {
    body_.exclusive_holders++;
    body_.holder.store(owner);
    KILL_POINT("lock_manager.begin_hold.holder");
  }
  body_.grants.fetch_add(1, std::memory_order_relaxed);
  request.state.store(static_cast<uint32_t>(RequestState::held));
  KILL_POINT("lock_manager.begin_hold.state");
}

void LockManager::forget_exclusive() {
  if (--body_.exclusive_holders == 0) body_.holder.store(0);
  KILL_POINT("lock_manager.forget_exclusive.holder");
}

// Takes a request out of the table. Returns the leader of those that are left.
uint32_t LockManager::end_request(uint32_t leader, uint32_t index) {
  RequestCell& request = cells_.at(index);
  const bool held_exclusive =
      (request.flags & kExclusive) != 0 && !is(request, RequestState::pending);
  request.owner.store(0);  // INV-20
  KILL_POINT("lock_manager.end_request.owner");
  if (!is(request, RequestState::abandoned)) lines_.remove_from_agent(index);
  leader = lines_.remove(leader, index);
  cells_.free(index);
  if (held_exclusive) forget_exclusive();
  return leader;
}

// A stolen request stands in no line any more.
void LockManager::end_stolen(uint32_t index) {
  cells_.at(index).owner.store(0);  // INV-20
  KILL_POINT("lock_manager.end_stolen.owner");
  lines_.remove_from_agent(index);
  cells_.free(index);
}

uint32_t LockManager::drop_abandoned(uint32_t leader) {
  return has_abandoned(leader) ? end_request(leader, leader) : leader;
}

// The thief is there already, with a higher token than any of them (INV-20).
uint32_t LockManager::evict_holders(uint32_t leader) {
  while (const uint32_t index = lines_.first_holder(leader)) {
    RequestCell& victim = cells_.at(index);
    if (!alive(victim.owner.load())) {
      leader = end_request(leader, index);
      continue;
    }
    victim.flags |= kUntold;
    victim.state.store(static_cast<uint32_t>(RequestState::stolen));
    KILL_POINT("lock_manager.evict_holders.state");
    body_.steals.fetch_add(1, std::memory_order_relaxed);
    if ((victim.flags & kExclusive) != 0) forget_exclusive();
    leader = lines_.remove(leader, index);
    lines_.put_first(index);
    granted_.push_back(victim.owner.load());
    if (cells_.is_damaged()) break;
  }
  return leader;
}

// Grants whatever can be granted now. Returns the leader.
uint32_t LockManager::serve(uint32_t leader) {
  while (leader != 0 && !cells_.is_damaged()) {
    const uint32_t index = cells_.at(leader).first_pending;
    if (index == 0) break;
    const RequestCell& first = cells_.at(index);
    if (!alive(first.owner.load())) {
      leader = end_request(leader, index);
      continue;
    }
    const uint32_t holder = lines_.first_holder(leader);
    const bool exclusive = (first.flags & kExclusive) != 0;
    if (holder != 0 && (exclusive || (cells_.at(holder).flags & kExclusive) != 0)) break;
    leader = grant(leader, index);
    if (exclusive) break;
  }
  return leader;
}

uint32_t LockManager::grant(uint32_t leader, uint32_t index) {
  RequestCell& request = cells_.at(index);
  request.flags |= kUntold;
  begin_hold(request, request.owner.load(), has_abandoned(leader));
  cells_.at(leader).first_pending = request.next;
  lines_.put_first(index);
  if ((request.flags & kExclusive) != 0) leader = drop_abandoned(leader);
  granted_.push_back(request.owner.load());
  return leader;
}

// The dead that hold leave, and those behind them are served.
uint32_t LockManager::tend(uint32_t leader) {
  uint32_t index = lines_.first_holder(leader);
  while (index != 0 && index != cells_.at(leader).first_pending && !cells_.is_damaged()) {
    const uint32_t next = cells_.at(index).next;
    if (!alive(cells_.at(index).owner.load())) leader = bury_holder(leader, index);
    if (leader == 0) return 0;
    index = next;
  }
  return serve(leader);
}

// An exclusive holder that died stays, as news for the next.
uint32_t LockManager::bury_holder(uint32_t leader, uint32_t index) {
  RequestCell& dead = cells_.at(index);
  if ((dead.flags & kExclusive) == 0) return end_request(leader, index);
  dead.state.store(static_cast<uint32_t>(RequestState::abandoned));
  KILL_POINT("lock_manager.bury_holder.state");
  body_.abandonments.fetch_add(1, std::memory_order_relaxed);
  lines_.remove_from_agent(index);
  return leader;
}

// Those who are in the way: the holders, and the first that waits.
void LockManager::watch(uint32_t leader) {
  if (leader == 0) return;
  uint32_t index = lines_.first_holder(leader);
  const uint32_t first_pending = cells_.at(leader).first_pending;
  for (size_t i = 0; i < platform::kWatchesMax && index != 0; i++) {
    const AgentId owner = cells_.at(index).owner.load();
    if (owner != agent_.id()) agent_.watch(owner);
    if (index == first_pending) break;
    index = cells_.at(index).next;
  }
}

}  // namespace holdfast::core
