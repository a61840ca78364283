#include "core/primitives/observations.h"

#include <algorithm>
#include <utility>

#include "core/primitives/queue.h"
#include "core/registry/overdue.h"
#include "core/registry/wait_set.h"
#include "core/waiting/held_since.h"

namespace holdfast::core {

namespace {

// A private copy of the body, as it was when it was read. If that succeeds, the object is known.
template <class Body>
class Copy {
 public:
  Copy(const ObservedFile& file, Observation* seen)
      : is_whole_(file.reader.read(sizeof(Header), bytes_, sizeof bytes_)) {
    seen->is_known = is_whole_;
  }
  explicit operator bool() const { return is_whole_; }
  Body* operator->() { return reinterpret_cast<Body*>(bytes_); }

 private:
  alignas(Body) unsigned char bytes_[sizeof(Body)] = {};
  bool is_whole_;
};

// The same of the table behind the body.
template <class Entry>
std::vector<Entry> table_of(const ObservedFile& file, uint32_t count) {
  std::vector<Entry> entries(count);
  if (!file.reader.read(file.table_offset, entries.data(), count * sizeof(Entry))) entries.clear();
  return entries;
}

// Words of a Permit and of a Waiting, which std::atomic does not let a vector copy.
struct PermitWords {
  uint64_t owner, hold;
};
static_assert(sizeof(PermitWords) == sizeof(Permit));
struct WaitingWords {
  uint64_t owner, ticket;
  uint32_t state, reserved;
};
static_assert(sizeof(WaitingWords) == sizeof(Waiting));

// Notes a live agent, or one more count of one that is noted. False if it is dead.
bool add(std::vector<Observation::Party>* parties, Registry& registry, AgentId id, const char* how,
         uint32_t count = 1) {
  for (Observation::Party& party : *parties) {
    if (party.id != id || party.how != how) continue;
    party.count += count;
    return true;
  }
  AgentFacts facts;
  if (id == 0 || !registry.alive(id) || !registry.describe(id, &facts)) return false;
  parties->push_back({facts, id, how, count});
  return true;
}

void add_waiters(const ObservedFile& file, WaitSet& set, const char* how, Observation* seen) {
  for (uint32_t i = 0; i < kWaitSetSize; i++) {
    const AgentId id = set.entry[i].load();
    const uint32_t waiting = std::max(set.waiting[i].load(), uint32_t{1});
    if (id != 0 && add(&seen->waiters, file.registry, id, how, waiting)) {
      seen->longest_wait_ms = std::max(seen->longest_wait_ms, int64_t{0});
    }
  }
  seen->longest_wait_ms = std::max(seen->longest_wait_ms, longest_wait_ms(set, file.registry));
}

template <class Body>
void add_counters(Copy<Body>& body, Observation* seen) {
  seen->numbers.emplace_back("acquisitions", body->acquisitions.load());
  seen->numbers.emplace_back("contentions", body->contentions.load());
}

}  // namespace

void observe_owned(const ObservedFile& file, Observation* seen) {
  Copy<OwnedBody> body(file, seen);
  if (!body) return;
  const AgentId owner = body->owner.load();
  if (add(&seen->holders, file.registry, owner, "exclusive")) {
    seen->held_ms = HeldSince(body->held_since).age_ms(body->acquisitions.load());
  } else {
    seen->abandoned = owner != 0;
  }
  add_waiters(file, body->waiters, "exclusive", seen);
  add_counters(body, seen);
  seen->numbers.emplace_back("abandonments", body->abandonments.load());
}

void observe_semaphore(const ObservedFile& file, Observation* seen) {
  Copy<SemaphoreBody> body(file, seen);
  if (!body) return;
  add_waiters(file, body->waiters, "permit", seen);
  add_counters(body, seen);
}

void observe_bounded(const ObservedFile& file, Observation* seen) {
  Copy<BoundedBody> body(file, seen);
  if (!body) return;
  for (const PermitWords& permit : table_of<PermitWords>(file, file.initial)) {
    if (permit.owner == 0) continue;
    if (!add(&seen->holders, file.registry, permit.owner, "permit")) seen->abandoned = true;
  }
  add_waiters(file, body->waiters, "permit", seen);
  seen->numbers.emplace_back("permits", file.initial);
  add_counters(body, seen);
  seen->numbers.emplace_back("abandonments", body->abandonments.load());
}

void observe_read_write(const ObservedFile& file, Observation* seen) {
  Copy<ReadWriteBody> body(file, seen);
  if (!body) return;
  const AgentId writing = body->writing.load();
  if (body->writer.load() == writing && add(&seen->holders, file.registry, writing, "exclusive")) {
    seen->held_ms = HeldSince(body->held_since).age_ms(body->acquisitions.load());
  } else {
    seen->abandoned = writing != 0 && !file.registry.alive(writing);
  }
  for (const PermitWords& reader : table_of<PermitWords>(file, kReadersMax)) {
    add(&seen->holders, file.registry, reader.owner, "shared");
  }
  add_waiters(file, body->readers, "shared", seen);
  add_waiters(file, body->writers, "exclusive", seen);
  add_counters(body, seen);
  seen->numbers.emplace_back("abandonments", body->abandonments.load());
}

void observe_event(const ObservedFile& file, Observation* seen) {
  Copy<EventBody> body(file, seen);
  if (!body) return;
  add_waiters(file, body->waiters, "wait", seen);
  seen->numbers.emplace_back("sets", body->word.load() >> 1);
}

void observe_condition(const ObservedFile& file, Observation* seen) {
  Copy<ConditionBody> body(file, seen);
  if (!body) return;
  for (const WaitingWords& waiting : table_of<WaitingWords>(file, kConditionWaitsMax)) {
    if (add(&seen->waiters, file.registry, waiting.owner, "wait")) seen->longest_wait_ms = 0;
  }
  seen->numbers.emplace_back("notifications", body->notifications.load());
}

void observe_barrier(const ObservedFile& file, Observation* seen) {
  Copy<BarrierBody> body(file, seen);
  if (!body) return;
  add_waiters(file, body->waiters, "wait", seen);
  add_waiters(file, body->arrivals, "wait", seen);
  const Round round = Round::of(body->state.load());
  seen->numbers.emplace_back("parties", file.initial);
  seen->numbers.emplace_back("arrived", static_cast<double>(round.arrived));
  seen->numbers.emplace_back("round", static_cast<double>(round.number));
}

namespace {

// Says how many items can be taken, and returns how many are leased. `counts` and `head` both count
// what has left the ring: see layout.h.
uint64_t add_size(QueueBody& body, Observation* seen) {
  const Queue::Counts counts = Queue::counts_of(body.counts.load(), body.head.load());
  const uint64_t ever = items_of(body.tail.load());
  seen->numbers.emplace_back("size", (ever - counts.done - counts.leased) & kQueueItemsMax);
  return counts.leased;
}

void observe_ring(const ObservedFile& file, QueueBody& body, Observation* seen) {
  add_waiters(file, body.getters, "get", seen);
  add_waiters(file, body.putters, "put", seen);
  seen->numbers.emplace_back("capacity", body.capacity.load());
  seen->numbers.emplace_back("puts", body.puts.load());
  seen->numbers.emplace_back("gets", body.gets.load());
  seen->numbers.emplace_back("abandonments", body.abandonments.load());
}

}  // namespace

void observe_queue(const ObservedFile& file, Observation* seen) {
  Copy<QueueBody> body(file, seen);
  if (!body) return;
  observe_ring(file, *body.operator->(), seen);
  add_size(*body.operator->(), seen);
}

namespace {

// The agents that have records on lease. The ring may change meanwhile: then `head` moves, and what
// was read behind it says nothing, and nobody is named.
void add_leases(const ObservedFile& file, JoinableQueueBody& body, uint64_t leased,
                Observation* seen) {
  const uint64_t units = body.queue.capacity.load() / kUnit;
  const uint64_t head = body.queue.head.load();
  const auto read_unit = [&](uint64_t offset, void* into) {
    return units != 0 && file.reader.read(file.table_offset + offset % units * kUnit, into, kUnit);
  };
  std::vector<Observation::Party> holders;
  uint64_t offset = offset_of(head);
  uint64_t items = (items_of(body.queue.tail.load()) - items_of(head)) & kQueueItemsMax;
  for (; items > 0 && leased > 0; items--) {
    RecordHead record;
    AgentId owner = 0;
    if (!read_unit(offset, &record) || !read_unit(offset + 1, &owner)) return;
    if (agent_of(owner) == owner && owner != 0) {
      add(&holders, file.registry, owner, "lease");
      leased--;
    }
    offset += kHeadUnits + (uint64_t{record.length} + kUnit - 1) / kUnit;
  }
  uint64_t now = 0;
  const uint64_t at = sizeof(Header) + offsetof(JoinableQueueBody, queue.head);
  if (!file.reader.read(at, &now, sizeof now) || now != head) return;
  seen->holders = std::move(holders);
}

}  // namespace

void observe_joinable_queue(const ObservedFile& file, Observation* seen) {
  Copy<JoinableQueueBody> body(file, seen);
  if (!body) return;
  observe_ring(file, body->queue, seen);
  add_waiters(file, body->joiners, "join", seen);
  const uint64_t leased = add_size(body->queue, seen);
  add_leases(file, *body.operator->(), leased, seen);
  const uint64_t delayed = std::min<uint64_t>(body->queue.delayed.load(), leased);
  seen->numbers.emplace_back("leased", leased - delayed);
  seen->numbers.emplace_back("delayed", delayed);
}

}  // namespace holdfast::core
