// JoinableQueue: a Queue that counts what is not worked off yet, and that leases its items.
//
//   take    In the critical section: write the own id into `owner` of the first record that is
//           ready. The record stays in the ring.
//   done    `owner` becomes kDone. The record leaves the ring as soon as it is the first.
//   retry   `owner` becomes 0: the record is ready again, in its old place.
//   get     As in a Queue. What was got counts as unfinished until taskDone().
//
// INV-14 No item is lost by the death of its taker. A record's owner is one word, so after any
// death the record is ready, leased or done. If its owner is dead, the record is ready. All
// counters beside the records are computed anew after a death in the critical section.
//
// A record is done before it counts as done. So after any death an agent that looks from outside
// the critical section sees at least as many items as there are, and enters to find out.
#ifndef HOLDFAST_CORE_PRIMITIVES_JOINABLE_QUEUE_H
#define HOLDFAST_CORE_PRIMITIVES_JOINABLE_QUEUE_H

#include "core/primitives/queue.h"

namespace holdfast::core {

// One lease: the place of its record, and which of its leases it is.
struct Lease {
  uint64_t offset = 0;
  uint64_t delivery = 0;
};

class JoinableQueue final : public Queue {
 public:
  JoinableQueue(Agent& agent, Object& object)
      : Queue(agent, object, 2), own_(*object.body<JoinableQueueBody>()) {}

  TransferStatus get(size_t count, std::vector<Record>* records);
  // `record`'s bytes are this queue's until the next call.
  TransferStatus take(Record* record, Lease* lease);
  // not_owner if the lease is over. busy if the mutex could not be locked: try again.
  Code done(const Lease& lease);
  Code retry(const Lease& lease);
  // over_release if nothing was got; busy as above.
  Code task_done();

  // Is every item that was put worked off? Also false if the mutex could not be locked.
  bool finished();
  // Blocks at most until the deadline.
  bool wait_to_join(int64_t deadline_ns);
  bool wait_to_get(int64_t deadline_ns);
  // Watches the agents that have leases: their items come back when they die.
  void watch();

  // Items that can be taken, including those that dead agents had leased. Counted in the critical
  // section. If that cannot be entered, taken from the counters beside the records.
  uint64_t size();
  uint64_t leased() const { return counts().leased; }
  uint64_t unfinished() const;  // items that were put and are not worked off
  uint64_t joiners_tag() const { return object_.tag() + 2; }
  WaitSet& joiners() { return own_.joiners; }
  // At the end of the agent: wakes waiters, which find its items ready.
  void abandon();

 protected:
  uint64_t occupied() const override;
  bool must_recover() const override { return own_.must_recount.load() != 0; }
  void recover() override;

 private:
  struct Place;
  // Records that are done, one directly behind the other.
  struct Run {
    uint64_t units = 0, items = 0;
  };
  // JoinableQueueBody::counts
  struct Counts {
    uint64_t done = 0, leased = 0;
  };
  Counts counts() const;
  void set_counts(Counts counts);
  // Of one instant.
  struct Snapshot {
    uint64_t records, tombstones, leased;  // tombstones: records in the ring that are done
  };
  Snapshot snapshot() const;
  // size() by the counters beside the records: without the items that dead agents had leased.
  uint64_t counted() const;
  uint64_t first_candidate(const View& view) const;
  std::atomic<uint64_t>& owner_at(const View& view, uint64_t offset) const {
    return word_at(view.capacity, offset + 1);
  }
  std::atomic<uint64_t>& deliveries_at(const View& view, uint64_t offset) const {
    return word_at(view.capacity, offset + 2);
  }
  bool recover_and_read(const CriticalSection& section, View* view);
  bool measure_run(const View& view, uint64_t from, Run* run);
  void measure_first_runs(const View& view);
  template <class Visit>
  bool walk(const View& view, uint64_t from, Visit visit);
  bool find_ready(const View& view, Place* place);
  void reclaim(const View& view);
  void bring_back();
  void offer(const View& view, uint64_t offset);
  bool are_done(const View& view, const Run& run) const;
  uint64_t pop_done(const View& view);
  Code settle(const Lease& lease, uint64_t owner);
  TransferStatus take_in_section(bool lease, std::vector<Record>* records, size_t count,
                                 Lease* taken);
  void wake(uint64_t popped);

  JoinableQueueBody& own_;
};

}  // namespace holdfast::core

#endif
