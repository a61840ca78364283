#include "core/primitives/condition.h"

#include <algorithm>
#include <cstring>

#include "core/invariant.h"
#include "core/kill_point.h"
#include "core/primitives/observations.h"
#include "core/store/kind_ops.h"

namespace holdfast::core {

namespace {

// Who asks lives. A thread may have 1,024 waits, and asking the kernel about each is slow: on macOS
// it opens the doorbell every time.
bool lives(Agent& agent, AgentId id) {
  const bool is_self = id == agent.id() && agent.doorbell().fd >= 0;
  return is_self || agent.registry().alive(id);
}

}  // namespace

bool Condition::bind(uint64_t lock_tag) {
  uint64_t bound = 0;
  const bool is_first = body_.lock_tag.compare_exchange_strong(bound, lock_tag);
  KILL_POINT("condition.bind.lock_tag");
  return is_first || bound == lock_tag;
}

int Condition::begin() {
  rescue();
  for (int round = 0; round < 2; round++) {
    for (uint32_t i = 0; i < kConditionWaitsMax; i++) {
      Waiting& waiting = entry(i);
      const AgentId owner = waiting.owner.load();
      // One that was notified and has died since rescue() looked is the next rescue's (INV-17).
      if (owner != 0 && (round == 0 || waiting.state.load() == kNotified || lives(agent_, owner))) {
        continue;
      }
      const uint64_t ticket = body_.next_ticket.load() + 1;
      body_.next_ticket.store(ticket);
      KILL_POINT("condition.begin.next_ticket");
      waiting.state.store(kWaiting);
      KILL_POINT("condition.begin.state");
      waiting.ticket.store(ticket);
      KILL_POINT("condition.begin.ticket");
      waiting.owner.store(agent_.id());  // last: dying before it leaves nothing
      KILL_POINT("condition.begin.owner");
      return static_cast<int>(i);
    }
  }
  return -1;
}

bool Condition::finish(int place) {
  Waiting& waiting = entry(static_cast<uint32_t>(place));
  const bool notified = waiting.state.load() == kNotified;
  HOLDFAST_INVARIANT(INV_17, waiting.owner.load() == agent_.id());
  waiting.owner.store(0);
  KILL_POINT("condition.finish.owner");
  rescue();
  return notified;
}

uint32_t Condition::notify(uint32_t count) {
  std::vector<std::pair<uint64_t, uint32_t>> line;
  for (uint32_t i = 0; i < kConditionWaitsMax; i++) {
    const Waiting& waiting = entry(i);
    if (waiting.owner.load() != 0 && waiting.state.load() == kWaiting) {
      line.emplace_back(waiting.ticket.load(), i);
    }
  }
  std::sort(line.begin(), line.end());
  uint32_t notified = 0;
  for (const auto& [ticket, index] : line) {
    if (notified == count) break;
    Waiting& waiting = entry(index);
    const AgentId owner = waiting.owner.load();
    if (!lives(agent_, owner)) {
      waiting.owner.store(0);
      KILL_POINT("condition.notify.dead");
      continue;
    }
    waiting.state.store(kNotified);  // INV-17
    KILL_POINT("condition.notify.state");
    notified++;
    body_.notifications.fetch_add(1);
    KILL_POINT("condition.notify.notifications");
    agent_.registry().wake(owner, object_.tag());
  }
  return notified;
}

void Condition::rescue() {
  for (uint32_t i = 0; i < kConditionWaitsMax; i++) {
    Waiting& waiting = entry(i);
    const AgentId owner = waiting.owner.load();
    if (owner == 0 || waiting.state.load() != kNotified || lives(agent_, owner)) continue;
    // The next one first: dying in between wakes one too many, which is allowed, and not one too
    // few.
    notify(1);
    KILL_POINT("condition.rescue.notified");
    waiting.owner.store(0);
    KILL_POINT("condition.rescue.owner");
  }
}

WaitStatus Condition::status_of(int place) {
  if (entry(static_cast<uint32_t>(place)).state.load() == kNotified) return WaitStatus::notified;
  for (uint32_t i = 0; i < kConditionWaitsMax; i++) {
    const Waiting& waiting = entry(i);
    const AgentId owner = waiting.owner.load();
    if (owner != 0 && waiting.state.load() == kNotified && !lives(agent_, owner)) {
      return WaitStatus::rescue;
    }
  }
  return WaitStatus::none;
}

WaitStatus Condition::wait(int place, int64_t deadline_ns) {
  struct Seen {
    WaitStatus status;
    explicit operator bool() const { return status != WaitStatus::none; }
  };
  spin_briefly();
  return wait_for_wakes(
             agent_, object_.tag(), deadline_ns, [&] { return Seen{status_of(place)}; }, [] {},
             [&] { watch(); })
      .status;
}

// Those who were notified and have not got the lock yet.
void Condition::watch() {
  for (uint32_t i = 0; i < kConditionWaitsMax; i++) {
    const Waiting& waiting = entry(i);
    if (waiting.state.load() == kNotified) agent_.watch(waiting.owner.load());
  }
}

uint32_t Condition::waiting() {
  uint32_t count = 0;
  for (uint32_t i = 0; i < kConditionWaitsMax; i++) {
    const Waiting& waiting = entry(i);
    const AgentId owner = waiting.owner.load();
    count += owner != 0 && waiting.state.load() == kWaiting && lives(agent_, owner);
  }
  return count;
}

namespace {

using Table = FixedTable<Waiting, kConditionWaitsMax>;

void initialise(Object& object, const OpenRequest& request) {
  ConditionBody* body = object.body<ConditionBody>();
  body->lock_kind = request.lock_kind;
  body->lock_name_length = static_cast<uint32_t>(request.lock_name.size());
  memcpy(body->lock_name, request.lock_name.data(), request.lock_name.size());
  KILL_POINT("store.make.lock_name");
}

void forget_users(Object& object) {
  for (uint32_t i = 0; i < kConditionWaitsMax; i++) object.entry<Waiting>(i).owner.store(0);
  KILL_POINT("store.forget_users.waiting");
  object.body<ConditionBody>()->lock_tag.store(0);
  KILL_POINT("store.forget_users.lock_tag");
}

Status compare(const OpenRequest& request, const BodyReader& reader, uint64_t) {
  Kind kind;
  uint32_t length = 0;
  char name[kNameMax] = {};
  const uint64_t body = sizeof(Header);
  if (!reader.read(body + offsetof(ConditionBody, lock_kind), &kind, sizeof kind) ||
      !reader.read(body + offsetof(ConditionBody, lock_name_length), &length, 4) ||
      !reader.read(body + offsetof(ConditionBody, lock_name), name, sizeof name) ||
      length > kNameMax || (kind != Kind::lock && kind != Kind::rlock)) {
    return Status::of(Code::corrupt, "the name of its lock cannot be read");
  }
  const std::string has(name, length);
  if (request.lock_given && (kind != request.lock_kind || has != request.lock_name)) {
    return Status::of(Code::incompatible, std::string("it was made with the ") +
                                              ops_of(kind)->name + " \"" + has + "\", not the " +
                                              ops_of(request.lock_kind)->name + " \"" +
                                              request.lock_name + "\"");
  }
  return Status::success();
}

constexpr KindOps make_ops() {
  KindOps ops{"Condition"};
  ops.body_length = kConditionLength;
  ops.table_length = Table::length;
  ops.is_plausible = Table::is_plausible;
  ops.initialise = initialise;
  ops.forget_users = forget_users;
  ops.observe = observe_condition;
  ops.compare = compare;
  return ops;
}

}  // namespace

extern const KindOps kConditionOps;
const KindOps kConditionOps = make_ops();

}  // namespace holdfast::core
