// JoinableQueue: a Queue that knows what has not been worked off yet, and whose items may be
// leased.
//
//   take   in the critical section: the first record that is ready becomes `owner` = me. It stays
//   in the ring. done   `owner` = kDone. It leaves the ring when it is the first. retry  `owner` =
//   0: ready again, in its old place. get    as a Queue's; what was got counts until taskDone().
//
// A record's owner is one word, so whoever dies, a record is ready, leased or done and nothing
// between. A dead owner's record is ready for whoever looks: INV-14 no item is lost by the death of
// its taker. Everything counted beside the records is counted anew after a death in the critical
// section.
//
// Tombstones are never counted higher than they are, at no instant: a record is done before it
// counts as a tombstone, and stops counting before it leaves the ring. So whoever looks without the
// critical section, whatever a death has left, sees that there is something to look for with it.
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
  // not_owner if the lease is over. busy if the mutex could not be had: try again.
  Code done(const Lease& lease);
  Code retry(const Lease& lease);
  // over_release if nothing was got; busy as above.
  Code task_done();

  // Is nothing left that was put and not worked off? false also if the mutex could not be had.
  bool finished();
  // Blocks at most until the deadline.
  bool wait_to_join(int64_t deadline_ns);
  bool wait_to_get(int64_t deadline_ns);
  // Those who lease something that may come back.
  void watch();

  // Items that can be had, with those that the dead had leased. Counted in the critical section;
  // if that cannot be had, as the words beside the records say.
  uint64_t size();
  uint64_t leased() const { return own_.leased.load(); }
  uint64_t unfinished() const;  // items that were put and are not worked off
  uint64_t joiners_tag() const { return object_.tag() + 2; }
  WaitSet& joiners() { return own_.joiners; }
  // At the end of the agent: its leases are there for others.
  void abandon();

 protected:
  uint64_t tombstones() const override { return std::min(own_.tombstones.load(), records()); }
  bool must_recover() const override { return own_.must_recount.load() != 0; }
  void recover() override;

 private:
  struct Place;
  // Records that are done and stand one behind the other.
  struct Run {
    uint64_t units = 0, items = 0;
  };
  uint64_t counted()
      const;  // size(), by the words beside the records: the dead's leases are missing
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
