// JoinableQueue: a Queue that counts what is not worked off yet, and that leases its items.
//
//   take    In the critical section: write the own id into `owner` of the first record that is
//           ready, of those with the highest priority. The record stays in the ring.
//   done    `owner` becomes kDone. The record leaves the ring as soon as it is the first.
//   retry   `owner` becomes 0: the record is ready again, in its old place. Or it becomes kDelayed,
//           and the record is ready when it is due: see queue_delays.cc. A put may delay it, too.
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
      : Queue(agent, object, &object.body<JoinableQueueBody>()->priorities),
        own_(*object.body<JoinableQueueBody>()) {}

  TransferStatus get(size_t count, std::vector<Record>* records);
  // `record`'s bytes are this queue's until the next call.
  TransferStatus take(Record* record, Lease* lease);
  // not_owner if the lease is over. busy if the mutex could not be locked: try again.
  Code done(const Lease& lease);
  Code retry(const Lease& lease);
  // Nobody has it again before so many milliseconds have passed.
  Code retry_later(const Lease& lease, double delay_ms);
  // over_release if nothing was got; busy as above.
  Code task_done();

  // Is every item that was put worked off? Also false if the mutex could not be locked.
  bool finished();
  // Blocks at most until the deadline.
  bool wait_to_join(int64_t deadline_ns);
  uint64_t unfinished() const;  // items that were put and are not worked off
  uint64_t joiners_tag() const { return object_.tag() + 2; }
  WaitSet& joiners() { return own_.joiners; }
  // At the end of the agent: wakes waiters, which find its items ready.
  void abandon();

 private:
  Code settle(const Lease& lease, uint64_t owner, uint64_t due_ms = 0);
  TransferStatus take_in_section(bool lease, std::vector<Record>* records, size_t count,
                                 Lease* taken);
  void wake(uint64_t popped);
  void measure_first_runs(const View& view);

  JoinableQueueBody& own_;
};

}  // namespace holdfast::core

#endif
