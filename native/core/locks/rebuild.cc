// After a death: the index is made anew from the requests (INV-21), and the dead leave the table.
#include <algorithm>
#include <vector>

#include "core/kill_point.h"
#include "core/locks/lock_manager.h"
#include "core/store/kind_ops.h"

namespace holdfast::core {

namespace {

// Any of those that there are.
bool has_state(const RequestCell& request) {
  return request.state.load() >= static_cast<uint32_t>(RequestState::pending) &&
         request.state.load() <= static_cast<uint32_t>(RequestState::abandoned);
}

bool is_holder(const RequestCell& request) {
  return is(request, RequestState::held) || is(request, RequestState::abandoned);
}

// In the order in which the requests come in a line: those that hold by token, then those that wait
// by ticket.
bool comes_first(const RequestCell& one, const RequestCell& other) {
  if (is_holder(one) != is_holder(other)) return is_holder(one);
  return is_holder(one) ? one.token < other.token : one.ticket < other.ticket;
}

}  // namespace

void LockManager::rebuild() {
  body_.changing.store(1);
  KILL_POINT("lock_manager.rebuild.changing");
  lines_.clear();
  std::vector<bool> marked(size_t{cells_.used()} + 1);
  std::vector<uint32_t> requests;
  for (uint32_t index = 1; index <= cells_.used(); index++) {
    RequestCell& request = cells_.at(index);
    if (request.owner.load() == 0) continue;
    if (has_state(request) && cells_.mark(index, &marked)) {
      requests.push_back(index);
    } else {
      request.owner.store(0);  // written by somebody else
      KILL_POINT("lock_manager.rebuild.owner");
    }
  }
  cells_.free_unmarked(marked);
  std::sort(requests.begin(), requests.end(), [this](uint32_t one, uint32_t other) {
    return comes_first(cells_.at(one), cells_.at(other));
  });
  if (body_.buckets.load() == 0) return;
  for (const uint32_t index : requests) link(index);
  if (body_.exclusive_holders == 0) body_.holder.store(0);
  KILL_POINT("lock_manager.rebuild.holder");
  // The agent that died may have made something free and not served that line.
  for (const uint32_t index : requests) {
    if (is(cells_.at(index), RequestState::pending)) {
      serve(lines_.find(cells_.name_of(index)));
    }
  }
}

void LockManager::link(uint32_t index) {
  RequestCell& request = cells_.at(index);
  if (is(request, RequestState::abandoned) && (request.flags & kExclusive) == 0) {
    request.flags |= kExclusive;  // no other is ever abandoned
  }
  // Nobody hears of an abandoned one any more, also if its agent died before it had been told.
  if (!is(request, RequestState::abandoned)) {
    lines_.add_to_agent(index);
    if ((request.flags & kUntold) != 0) lines_.put_first(index);
  }
  if (is(request, RequestState::stolen)) return;
  uint32_t leader = lines_.find(cells_.name_of(index));
  if ((request.flags & kExclusive) != 0 && is_holder(request)) {
    // INV-20: those before it have a lower token. It stole the lock from them, or had it after one
    // that had died.
    leader = evict_holders(drop_abandoned(leader));
    body_.exclusive_holders++;
  }
  lines_.append(leader, index);
}

// A request, of whatever state, whose agent is dead.
void LockManager::bury(uint32_t index) {
  RequestCell& dead = cells_.at(index);
  if (is(dead, RequestState::stolen)) {
    end_stolen(index);
    return;
  }
  const uint32_t leader = lines_.find(cells_.name_of(index));
  if (leader == 0) return;
  serve(is(dead, RequestState::held) ? bury_holder(leader, index) : end_request(leader, index));
}

void LockManager::bury_all(Burial burial) {
  for (uint32_t index = 1; index <= cells_.used(); index++) {
    const RequestCell& request = cells_.at(index);
    const AgentId owner = request.owner.load();
    if (owner == 0) continue;
    if (is(request, RequestState::abandoned)) {
      if (burial == Burial::of_their_news) {
        drop_abandoned(lines_.find(cells_.name_of(index)));
      }
    } else if (!alive(owner)) {
      bury(index);
    }
  }
}

namespace {

uint64_t table_length(const OpenRequest& request) { return TableShape::of(request.initial).length; }

bool is_plausible(uint32_t initial, uint64_t length) {
  return initial >= 1 && initial <= kRequestsMax && length == TableShape::of(initial).length;
}

void initialise(Object& object, const OpenRequest&) {
  auto* body = object.body<LockManagerBody>();
  platform::init_mutex(&body->mutex);
  KILL_POINT("store.make.lock_manager_mutex");
  body->last_token.store(object.header()->created_us);  // INV-22
  KILL_POINT("store.make.last_token");
}

// Those who wait are gone. Exclusive holders are abandoned: that is news for the next.
void forget_users(Object& object) {
  auto* body = object.body<LockManagerBody>();
  platform::init_mutex(&body->mutex);
  KILL_POINT("store.forget_users.lock_manager_mutex");
  const TableShape shape = TableShape::of(object.initial());
  auto* cells = reinterpret_cast<RequestCell*>(object.table() + shape.cells_offset);
  for (uint32_t i = 1; i <= std::min(body->used.load(), shape.cells - 1); i++) {
    RequestCell& request = cells[i];
    if (request.owner.load() == 0) continue;
    if (is_holder(request) && (request.flags & kExclusive) != 0) {
      request.state.store(static_cast<uint32_t>(RequestState::abandoned));
    } else {
      request.owner.store(0);
    }
  }
  KILL_POINT("store.forget_users.requests");
  body->changing.store(1);
}

OwnerWords owner_words(uint32_t, uint32_t) {
  return {sizeof(Header) + offsetof(LockManagerBody, holder), sizeof(uint64_t), 1};
}

constexpr KindOps make_ops() {
  KindOps ops{"LockManager"};
  ops.initial = "maxRequests:";
  ops.initial_max = kRequestsMax;
  ops.table_reserved = TableShape::kAgentsLength;
  ops.table_length = table_length;
  ops.is_plausible = is_plausible;
  ops.initialise = initialise;
  ops.forget_users = forget_users;
  ops.owner_words = owner_words;
  return ops;
}

}  // namespace

extern const KindOps kLockManagerOps;
const KindOps kLockManagerOps = make_ops();

}  // namespace holdfast::core
