// ReadWriteLock: an owner word for the writer, a table of owner words for the readers.
//
//   read    Write the own id into the table, then look at `writer`. If no live agent is there: the
//           caller reads. Otherwise take the id out again and wait.
//   write   Swap `writer` from 0 or a dead agent to the own id, then look at the table. If no live
//           agent is in it: the caller writes. Otherwise wait until the readers have left; no
//           reader enters meanwhile.
//   leave   Take the own id out. The last reader wakes the writer that waits.
//   turn    A writer that leaves lets waiting readers go first: as many as it woke. Writers hold
//           back until so many readers have entered, or until nothing has happened for two slices.
//
// INV-15 A reader and a writer cannot both overlook each other, because both write before they look
// (sequentially consistent). Both may see each other; then the reader stands back.
//
// INV-16 Nobody starves. A writer keeps its place while it waits for readers, so no stream of
// readers starves it. The turn prevents that a stream of writers starves the readers. A writer
// without a place gives way to an overdue reader or writer (INV-23).
#ifndef HOLDFAST_CORE_PRIMITIVES_READ_WRITE_LOCK_H
#define HOLDFAST_CORE_PRIMITIVES_READ_WRITE_LOCK_H

#include "core/waiting/waiting.h"

namespace holdfast::core {

class ReadWriteLock {
 public:
  ReadWriteLock(Agent& agent, Object& object)
      : agent_(agent),
        object_(object),
        body_(*object.body<ReadWriteBody>()),
        patience_(body_.patience),
        to_reader_(agent, body_.readers),
        to_writer_(agent, body_.writers) {}

  Outcome try_shared(WritersToBypass bypass);
  Outcome wait_shared(WritersToBypass bypass, int64_t deadline_ns);
  // Leaves the claim in place if it has to wait: see withdraw().
  Outcome claim_exclusive();
  Outcome wait_exclusive(int64_t deadline_ns);
  // Leaves no claim behind that was not there before.
  Outcome try_exclusive();
  // This agent no longer waits to write.
  void withdraw();

  Code release_shared(uint64_t hold);
  Code release_exclusive(uint64_t hold);
  // Passes on the wake-up of a reader that no longer waits.
  void pass_on_shared();
  void pass_on_exclusive();
  void abandon();

  // Is there no writer and no claim of one, or will that be so in a moment? Does not see the
  // readers that a writer waits for.
  bool spin_briefly() {
    return spin_([this] { return body_.writer.load(std::memory_order_relaxed) == 0; });
  }
  void watch_writer() { agent_.watch(body_.writer.load()); }
  void watch_all();

  bool writes(AgentId id) const { return body_.writer.load() == id && body_.writing.load() == id; }
  bool is_written_by_caller() const { return writes(agent_.id()); }
  bool is_read_by_caller() const;
  bool all_held_by_caller() const;  // every place of the table: no other reader fits in
  bool is_held_by_caller() const { return is_written_by_caller() || is_read_by_caller(); }
  bool is_current_hold(uint64_t hold) const;
  static constexpr bool kManyHolds = true;
  static HoldMode mode_of(uint64_t hold) {
    return hold % kPlaces == kReadersMax ? HoldMode::exclusive : HoldMode::shared;
  }
  // Does it wait for the readers to leave, so that no other writer and no reader gets in?
  bool has_claim() const {
    return body_.writer.load() == agent_.id() && body_.writing.load() != agent_.id();
  }
  AgentId writing() const;  // 0 if nobody is
  // Somebody looks at it, once a slice.
  void note_hold() {
    if (body_.writing.load() != 0) HeldSince(body_.held_since).note(body_.acquisitions.load());
  }
  uint32_t reading();  // holds of live agents
  bool is_free() { return writing() == 0 && reading() == 0; }
  AgentId reader_at(uint32_t index) const { return entry(index).owner.load(); }
  ReadWriteBody& body() { return body_; }
  uint64_t readers_tag() const { return object_.tag(); }
  uint64_t writers_tag() const { return object_.tag() + 1; }

 private:
  // A hold is the number of its acquisition and, in the low bits, its place; kReadersMax is the
  // writer's.
  static constexpr uint64_t kPlaces = 2 * kReadersMax;

  Permit& entry(uint64_t index) const { return object_.entry<Permit>(index); }
  bool keeps_out(AgentId writer, WritersToBypass bypass);
  int take_entry();
  void take_out(uint32_t index);
  bool has_readers();
  bool readers_first();
  bool gives_way();
  void take_turn();
  void give_readers_their_turn();

  Agent& agent_;
  Object& object_;
  ReadWriteBody& body_;
  Patience patience_;
  GivingWay to_reader_, to_writer_;  // both are a writer's: a reader excludes no reader
  Spin spin_;
};

}  // namespace holdfast::core

#endif
