// The words of a Queue and of a JoinableQueue in shared memory: the ring, its records, its counts.
#pragma once

#include "core/layout.h"

namespace holdfast::core {

// Queue. A position is a place in the ring and a count of items in one word. One store moves both,
// so they agree after any death.
//
//   bits 0..39   offset in units of 8 bytes, modulo 2^40; modulo the capacity it is the place
//   bits 40..63  items, modulo 2^24
//
// | head, tail        | what it is
// | equal             | empty
// | tail before head  | corrupt, as is a difference larger than the capacity
//
// Every record begins with its head (RecordHead) and two words, or three:
//
//   owner       what becomes of it, see below
//   deliveries  how often it was leased; with the record's place it names one lease. Of a delayed
//               record also when it is due: see delivery_word()
//   link        only of a record that has a priority: the place of the next one that has the same,
//               or kNoRecord. The length of the record counts it
//
// | owner            | deliveries | the record is
// | 0                |            | ready
// | kCopying | agent | kUnwritten | being written: its bytes are not there, and it is no item yet
// | kCopying | agent | another    | being copied out by a get
// | kGivenBack       |            | no longer being copied out, and not counted as ready yet
// | agent            |            | leased (JoinableQueue)
// | kGone            |            | got, and not counted as done yet
// | kDone            |            | done: no item any more
// | kDelayed         | with a due | not to be taken before it is due (JoinableQueue)
// | kVoid            |            | nothing: it was not written to the end, and never was an item
//
// There are two mutexes, so that a put and a get seldom meet (docs/adr/0076-two-ends.md). Who has
// both has locked `mutex` first.
//
// | written                                    | by whom
// | kGone, kGivenBack, kVoid in its own record | its agent, without a mutex
// | tail, puts, a record behind `tail`         | who has locked `tail_mutex`
// | capacity                                   | who has locked both
// | all else, such as `head` and `counts`      | who has locked `mutex`: in the critical section
// | ended, must_recount, abandonments          | anybody
//
// A record whose agent died is void if it was being written, and otherwise ready.
//
// A record that is done or void and not the first stays where it is until those before it are done.
// Its `deliveries` may then be the length of the run of such records that it begins (see
// queue_runs.cc). `counts`, `ready` and the items of `tail` follow from the records, and are
// computed from them after a death with one of the mutexes.
//
// `counts` is one word, so that one store says that a leased record is done. With one store of
// `tail` for a put it makes size() right at every instant, whichever agent is stopped or killed. It
// counts all items that were ever done, as `head` counts all that have left the ring: their
// difference is in the ring still.
//
//   bits 0..23   items that were ever done, modulo 2^24
//   bits 24..47  items that are leased, delayed, being copied out, or gone
//
// kNoCounts says that no item in the ring is done, and none leased. It stays true when `head` goes
// on, so small records are got by one store of `head`.
struct QueueBody {
  alignas(64) std::atomic<uint64_t> tail;  // after the last record
  std::atomic<uint64_t> puts;              // since it was made
  alignas(64) std::atomic<uint64_t> head;  // at the first record
  std::atomic<uint64_t> counts;
  std::atomic<uint64_t> ready;                 // no record of priority 0 before it is ready
  std::atomic<uint32_t> must_recount;          // what follows from the records may be wrong
  std::atomic<uint64_t> next_due;              // no delayed record is due before it, in ms
  std::atomic<uint64_t> delayed;               // records; both follow from the records
  std::atomic<uint64_t> gets;                  // since it was made
  alignas(64) std::atomic<uint64_t> capacity;  // of the ring, in bytes: a power of two, only grows
  uint64_t max_items;                          // at most kQueueItemsMax
  uint64_t max_bytes;                          // as asked for
  uint32_t codec;  // number of src/records/codec.ts: all users must agree
  std::atomic<uint32_t> ended;
  std::atomic<uint64_t> abandonments;  // times that somebody died with a mutex locked
  alignas(64) platform::traits::MutexStorage mutex;
  alignas(64) platform::traits::MutexStorage tail_mutex;
  alignas(64) WaitSet getters;
  alignas(64) WaitSet putters;
};

constexpr uint64_t kQueueItemsMax = (uint64_t{1} << 24) - 1;
constexpr uint64_t kQueueBytesMin = uint64_t{1} << 16;
constexpr uint64_t kQueueBytesMax = uint64_t{1} << 30;

// No agent's id has the highest bit: see Registry::next_serial.
constexpr uint64_t kCopying = uint64_t{1} << 63;
// Of an agent that is dead to everybody: no agent has this id, because no serial number is 0.
constexpr uint64_t kGivenBack = kCopying | 1;
constexpr uint64_t kNoCounts = UINT64_MAX;
constexpr uint64_t kUnwritten = uint64_t{1} << 62;
constexpr uint64_t kDone = UINT64_MAX;
constexpr uint64_t kGone = UINT64_MAX - 1;
constexpr uint64_t kVoid = UINT64_MAX - 2;
constexpr uint64_t kDelayed = UINT64_MAX - 3;

// `deliveries` of a record: how often it was leased in the low bits, then when it is due, in
// milliseconds of the monotonic clock. The two highest bits are those of kUnwritten and of a run.
constexpr uint32_t kDeliveryBits = 20;
constexpr uint64_t kDeliveriesMax = (uint64_t{1} << kDeliveryBits) - 1;
constexpr uint64_t kDueMax = (uint64_t{1} << (62 - kDeliveryBits)) - 1;
constexpr uint64_t kNeverDue = UINT64_MAX;
constexpr uint64_t delivery_word(uint64_t deliveries, uint64_t due_ms) {
  return (deliveries & kDeliveriesMax) | (due_ms & kDueMax) << kDeliveryBits;
}
constexpr uint64_t deliveries_of(uint64_t word) { return word & kDeliveriesMax; }
constexpr uint64_t due_of(uint64_t word) { return word >> kDeliveryBits & kDueMax; }

// The records of one priority above 0, in the order of their places: see queue_priorities.cc. What
// is done may be left out of the list.
//
// | bit in `used` | ready     | what it is
// | 0             | any       | no record of this priority is in the ring
// | 1             | kNoRecord | none of them is ready
// | 1             | a place   | that of one of them; no record of the list before it is ready
struct PriorityList {
  std::atomic<uint64_t> ready;
  std::atomic<uint64_t> last;  // the place of the last of them
};

// All of it follows from the records, and so do their links.
struct PriorityLists {
  std::atomic<uint64_t> used;         // one bit for each priority
  PriorityList of[kPriorityMax + 1];  // priority 0 has no list: its records are found by `ready`
};

constexpr uint64_t kNoRecord = UINT64_MAX;

// JoinableQueue: a Queue whose items are counted until they are worked off.
struct JoinableQueueBody {
  QueueBody queue;
  alignas(64) std::atomic<uint64_t> gotten;  // got with get(), and taskDone() not called for it yet
  alignas(64) WaitSet joiners;
  alignas(64) PriorityLists priorities;
};

constexpr size_t kJoinableQueueLength = 8192;

static_assert(sizeof(Header) + sizeof(QueueBody) <= kObjectLength);
static_assert(sizeof(Header) + sizeof(JoinableQueueBody) <= kJoinableQueueLength);

}  // namespace holdfast::core
