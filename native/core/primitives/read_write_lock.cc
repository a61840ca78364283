#include "core/primitives/read_write_lock.h"

#include "core/invariant.h"
#include "core/kill_point.h"
#include "core/primitives/observations.h"
#include "core/store/kind_ops.h"

namespace holdfast::core {

bool ReadWriteLock::keeps_out(AgentId writer, WritersToBypass bypass) {
  if (writer == 0) return false;
  const bool is_caller = writer == agent_.id();
  const bool only_waits = body_.writing.load() != writer;
  if (only_waits &&
      (bypass == WritersToBypass::waiting || (bypass == WritersToBypass::myself && is_caller)))
    return false;
  return is_caller || agent_.registry().alive(writer);
}

int ReadWriteLock::take_entry() {
  for (int round = 0; round < 2; round++) {
    for (uint32_t i = 0; i < kReadersMax; i++) {
      AgentId owner = reader_at(i);
      // Full: some may be dead.
      if (owner != 0 && (round == 0 || agent_.registry().alive(owner))) continue;
      if (!entry(i).owner.compare_exchange_strong(owner, agent_.id())) continue;
      KILL_POINT("read_write_lock.take_entry.owner");
      return static_cast<int>(i);
    }
  }
  return -1;
}

Outcome ReadWriteLock::try_shared(WritersToBypass bypass) {
  if (keeps_out(body_.writer.load(), bypass)) return {};
  const int index = take_entry();
  if (index < 0) return {};
  platform::fence_after_rmw();  // INV-15: pairs with the one in claim_exclusive
  if (keeps_out(body_.writer.load(), bypass)) {
    take_out(static_cast<uint32_t>(index));
    return {};
  }
  const uint64_t number =
      hold_after(body_.acquisitions.fetch_add(1, std::memory_order_relaxed), kPlaces);
  entry(index).hold.store(number, std::memory_order_relaxed);
  KILL_POINT("read_write_lock.try_shared.hold");
  to_reader_.end();
  take_turn();
  const AgentId writing = body_.writing.load();
  HOLDFAST_INVARIANT(INV_15, writing == 0 || !agent_.registry().alive(writing));
  return {number * kPlaces + static_cast<uint64_t>(index), writing != 0};
}

// One of the readers that a writer let go first has entered. The last of them wakes a writer.
void ReadWriteLock::take_turn() {
  uint64_t left = body_.turn.load();
  while (left != 0 && !body_.turn.compare_exchange_weak(left, left - 1)) {
  }
  KILL_POINT("read_write_lock.take_turn.turn");
  if (left == 1) wake_one(body_.writers, agent_.registry(), writers_tag());
}

bool ReadWriteLock::readers_first() {
  if (body_.turn.load() == 0) return false;
  // Those who were woken may have died or given up.
  if (!patience_.exhausted(body_.acquisitions.load(std::memory_order_relaxed))) return true;
  body_.turn.store(0);
  KILL_POINT("read_write_lock.readers_first.turn");
  return false;
}

bool ReadWriteLock::gives_way() {
  const uint64_t acquisitions = body_.acquisitions.load(std::memory_order_relaxed);
  for (GivingWay* to : {&to_reader_, &to_writer_}) {
    if (to->is_due() && !to->has_lapsed(true, acquisitions)) return true;
  }
  return false;
}

// Is a live agent in the table? Takes dead ones out.
bool ReadWriteLock::has_readers() {
  AgentId living = agent_.id();
  for (uint32_t i = 0; i < kReadersMax; i++) {
    AgentId owner = reader_at(i);
    if (owner == 0) continue;
    if (owner == living || agent_.registry().alive(owner)) return true;
    entry(i).owner.compare_exchange_strong(owner, 0);
    KILL_POINT("read_write_lock.has_readers.entry");
  }
  return false;
}

Outcome ReadWriteLock::claim_exclusive() {
  AgentId writer = body_.writer.load();
  if (writer == agent_.id()) {
    if (body_.writing.load() == writer) return {};
  } else {
    if (writer != 0 && agent_.registry().alive(writer)) return {};
    if (writer == 0 && (readers_first() || gives_way())) return {};
    if (!body_.writer.compare_exchange_strong(writer, agent_.id())) return {};
    KILL_POINT("read_write_lock.claim_exclusive.writer");
    to_writer_.end();
  }
  platform::fence_after_rmw();  // INV-15
  if (has_readers()) {
    // The claim stands while its agent lives, so no reader enters after those who are inside.
    HOLDFAST_INVARIANT(INV_16, body_.writer.load() == agent_.id());
    return {};
  }
  const bool abandoned = body_.writing.load() != 0;
  const uint64_t number =
      hold_after(body_.acquisitions.fetch_add(1, std::memory_order_relaxed), kPlaces);
  body_.hold.store(number, std::memory_order_relaxed);
  KILL_POINT("read_write_lock.claim_exclusive.hold");
  body_.writing.store(agent_.id());
  KILL_POINT("read_write_lock.claim_exclusive.writing");
  if (abandoned) body_.abandonments.fetch_add(1, std::memory_order_relaxed);
  KILL_POINT("read_write_lock.claim_exclusive.abandonments");
  return {number * kPlaces + kReadersMax, abandoned};
}

Outcome ReadWriteLock::try_exclusive() {
  const bool claimed = body_.writer.load() == agent_.id();
  // A claim keeps readers out as long as it stands, so it is made only if it may succeed.
  if (!claimed && has_readers()) return {};
  const Outcome outcome = claim_exclusive();
  if (!outcome && !claimed) withdraw();
  return outcome;
}

void ReadWriteLock::withdraw() {
  AgentId writer = agent_.id();
  if (body_.writer.load() != writer || body_.writing.load() == writer) return;
  if (body_.writer.compare_exchange_strong(writer, 0)) {
    KILL_POINT("read_write_lock.withdraw.writer");
    wake_all(body_.readers, agent_.registry(), readers_tag());
    wake_one(body_.writers, agent_.registry(), writers_tag());
  }
}

Outcome ReadWriteLock::wait_shared(WritersToBypass bypass, int64_t deadline_ns) {
  spin_briefly();
  int index = -1;
  bool used = false;  // the wake-up that took our entry out brought us here
  const Outcome outcome = wait_for_wakes(
      agent_, readers_tag(), deadline_ns, [&] { return try_shared(bypass); },
      [&] {
        index = enrol_again(body_.readers, agent_.registry(), agent_.id(), 1, index);
        used = false;
      },
      [&] { watch_writer(); }, [&] { used = true; });
  // It acquired before its wake-up came. That was counted in the turn, so it is passed on.
  if (!cancel(body_.readers, agent_.id(), index) && !used) pass_on_shared();
  return outcome;
}

Outcome ReadWriteLock::wait_exclusive(int64_t deadline_ns) {
  spin_briefly();
  return wait_at_doorbell(
      agent_, body_.writers, writers_tag(), deadline_ns, [&] { return claim_exclusive(); },
      [&] { watch_all(); });
}

void ReadWriteLock::watch_all() {
  watch_writer();
  to_reader_.watch();
  to_writer_.watch();
  uint32_t watched = 0;
  for (uint32_t i = 0; i < kReadersMax && watched < platform::kWatchesMax; i++) {
    const AgentId owner = reader_at(i);
    if (owner == 0) continue;
    agent_.watch(owner);
    watched++;
  }
}

// Takes a reader out. The writer that waits for it need not be the first in the wait set, so it is
// woken by its id.
void ReadWriteLock::take_out(uint32_t index) {
  entry(index).owner.exchange(0);
  KILL_POINT("read_write_lock.take_out.owner");
  platform::fence_after_rmw();
  const AgentId writer = body_.writer.load();
  if (writer == 0) {
    wake_one(body_.writers, agent_.registry(), writers_tag());
    return;
  }
  for (uint32_t i = 0; i < kReadersMax; i++) {
    if (reader_at(i) != 0) return;
  }
  agent_.registry().wake(writer, writers_tag());
}

Code ReadWriteLock::release_shared(uint64_t hold) {
  if (hold % kPlaces == kReadersMax || !is_current_hold(hold)) return Code::not_locked;
  take_out(static_cast<uint32_t>(hold % kPlaces));
  return Code::ok;
}

Code ReadWriteLock::release_exclusive(uint64_t hold) {
  if (hold % kPlaces != kReadersMax || !is_current_hold(hold)) return Code::not_locked;
  body_.writing.store(0);  // first: if this agent dies after it, it has released
  body_.turn.store(1);     // ours: no writer slips in before the readers have been woken
  KILL_POINT("read_write_lock.release_exclusive.writing");
  AgentId writer = agent_.id();
  body_.writer.compare_exchange_strong(writer, 0);
  KILL_POINT("read_write_lock.release_exclusive.writer");
  give_readers_their_turn();
  return Code::ok;
}

void ReadWriteLock::give_readers_their_turn() {
  // Each is counted before it is woken, because it may enter and take its turn before wake_one
  // returns.
  bool woken = true;
  for (uint32_t i = 0; i < kWaitSetSize && woken; i++) {
    body_.turn.fetch_add(1);
    KILL_POINT("read_write_lock.give_readers_their_turn.turn");
    woken = wake_one(body_.readers, agent_.registry(), readers_tag());
    if (!woken) take_turn();
  }
  take_turn();
}

void ReadWriteLock::pass_on_shared() {
  if (!wake_one(body_.readers, agent_.registry(), readers_tag())) take_turn();
}

void ReadWriteLock::pass_on_exclusive() {
  wake_one(body_.writers, agent_.registry(), writers_tag());
}

void ReadWriteLock::abandon() {
  // A waiter finds the dead agent in the word or in the table.
  wake_all(body_.readers, agent_.registry(), readers_tag());
  wake_all(body_.writers, agent_.registry(), writers_tag());
}

bool ReadWriteLock::is_read_by_caller() const {
  for (uint32_t i = 0; i < kReadersMax; i++) {
    if (entry(i).owner.load(std::memory_order_relaxed) == agent_.id()) return true;
  }
  return false;
}

bool ReadWriteLock::all_held_by_caller() const {
  for (uint32_t i = 0; i < kReadersMax; i++) {
    if (entry(i).owner.load(std::memory_order_relaxed) != agent_.id()) return false;
  }
  return true;
}

bool ReadWriteLock::is_current_hold(uint64_t hold) const {
  const uint64_t place = hold % kPlaces, number = hold / kPlaces;
  if (place == kReadersMax) {
    return is_written_by_caller() && body_.hold.load(std::memory_order_relaxed) == number;
  }
  if (place > kReadersMax) return false;
  const Permit& held = entry(place);
  return held.owner.load(std::memory_order_relaxed) == agent_.id() &&
         held.hold.load(std::memory_order_relaxed) == number;
}

AgentId ReadWriteLock::writing() const {
  const AgentId writer = body_.writer.load();
  return writes(writer) && agent_.registry().alive(writer) ? writer : 0;
}

uint32_t ReadWriteLock::reading() {
  uint32_t count = 0;
  for (uint32_t i = 0; i < kReadersMax; i++) {
    const AgentId owner = reader_at(i);
    count += owner != 0 && agent_.registry().alive(owner);
  }
  return count;
}

namespace {

using Table = FixedTable<Permit, kReadersMax>;

void forget_users(Object& object) {
  ReadWriteBody* body = object.body<ReadWriteBody>();
  for (uint32_t i = 0; i < kReadersMax; i++) object.entry<Permit>(i).owner.store(0);
  KILL_POINT("store.forget_users.readers");
  body->turn.store(0);
  KILL_POINT("store.forget_users.turn");
  body->patience.store(0);
  KILL_POINT("store.forget_users.read_write_patience");
  body->held_since.store(0);
  KILL_POINT("store.forget_users.read_write_held_since");
  reset(body->readers);
  reset(body->writers);
}

OwnerWords owner_words(uint32_t, uint32_t) {
  return {sizeof(Header) + offsetof(ReadWriteBody, writing), sizeof(uint64_t), 1};
}

constexpr KindOps make_ops() {
  KindOps ops{"ReadWriteLock"};
  ops.table_length = Table::length;
  ops.is_plausible = Table::is_plausible;
  ops.forget_users = forget_users;
  ops.owner_words = owner_words;
  ops.observe = observe_read_write;
  return ops;
}

}  // namespace

extern const KindOps kReadWriteLockOps;
const KindOps kReadWriteLockOps = make_ops();

}  // namespace holdfast::core
