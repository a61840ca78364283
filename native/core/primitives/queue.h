// Queue: a ring of records. Large records are copied outside any mutex.
//
//   put    With the tail locked: write the record behind it, then publish it by one store of
//   `tail`.
//          Large: reserve its place, copy its bytes outside, then publish it.
//   get    In the critical section: copy the records at the head, then consume them by one store of
//   `head`.
//          Large: claim them by one store of `counts`, copy their bytes outside, then they are
//          done.
//   grow   In the critical section, and with the tail locked: reserve as much again, copy the lower
//   half to the upper half, then publish the new size
//          by one store of `capacity`. A record's place is its offset modulo the capacity. So after
//          the copy every record of the ring is where the larger capacity looks for it. No bytes
//          are copied in or out meanwhile.
//
// INV-12 A death at any instruction leaves a valid ring: a record that is not published does not
// exist, and a record that is not consumed is still there. What a dead agent had reserved is void,
// and what it had claimed is ready again. So an agent that finds the mutex abandoned goes on.
//
// INV-13 Nothing beyond the reserved capacity is ever touched.
//
// A get takes the first record that is ready, and passes by one that is being written. That put has
// not returned, so it takes effect later. A record that was ready before another was reserved is
// found before it.
#ifndef HOLDFAST_CORE_PRIMITIVES_QUEUE_H
#define HOLDFAST_CORE_PRIMITIVES_QUEUE_H

#include <functional>
#include <string>
#include <vector>

#include "core/primitives/queue_layout.h"
#include "core/registry/census.h"
#include "core/store/kind_ops.h"
#include "core/waiting/critical_section.h"
#include "core/waiting/waiting.h"

namespace holdfast::core {

// A record to put, or one that was got. `type` is the codec's, and means nothing here.
struct Record {
  uint32_t type = 0;
  const char* bytes = nullptr;
  uint32_t length = 0;
  uint64_t due_ms = 0;    // of a put: no taker has it before; 0: at once
  uint32_t priority = 0;  // of a JoinableQueue: 0 to kPriorityMax; a greater one is taken sooner
};

// The time on the clock of delays, monotonic_ms(), after so many milliseconds, rounded up.
inline uint64_t due_after(double delay_ms) {
  const double now_ns = static_cast<double>(platform::monotonic_ns());
  return static_cast<uint64_t>(now_ns / platform::kNanosPerMilli + delay_ms) + 1;
}

// From this length on a record's bytes are copied outside the critical section.
constexpr uint32_t kLargeRecord = 4096;

// One get takes at most 4 MiB, unless one record has more. Others wait while small records are
// copied. And a batch that is still in use when the garbage collector comes is dear.
constexpr uint64_t kBatchBytes = uint64_t{4} << 20;

// Positions: see QueueBody in layout.h.
constexpr uint32_t kOffsetBits = 40;
constexpr uint64_t kOffsetMask = (uint64_t{1} << kOffsetBits) - 1;
constexpr uint64_t kUnit = 8;  // records start on it

// The agent that has the record; 0 if it is ready, delayed, done or void.
inline AgentId agent_of(uint64_t owner) { return owner < kDelayed ? owner & ~kCopying : 0; }
inline bool is_copying(uint64_t owner) { return owner < kDelayed && (owner & kCopying) != 0; }

inline uint64_t offset_of(uint64_t position) { return position & kOffsetMask; }
inline uint64_t items_of(uint64_t position) { return position >> kOffsetBits; }
inline uint64_t advance(uint64_t position, uint64_t units, uint64_t items) {
  return ((offset_of(position) + units) & kOffsetMask) |
         ((items_of(position) + items) << kOffsetBits);  // what overflows falls out at the top
}

struct RecordHead {  // one unit; then the owner, the deliveries, the link if any, and the bytes
  uint32_t length;   // of the link and the bytes
  uint16_t type;
  uint16_t priority;
};
static_assert(sizeof(RecordHead) == kUnit);
constexpr uint64_t kHeadUnits = 3;

class Queue {
 public:
  // QueueBody::counts
  struct Counts {
    uint64_t done = 0, leased = 0;
  };
  static Counts counts_of(uint64_t word, uint64_t head);

  // Without `lists` no record has a priority.
  Queue(Agent& agent, Object& object, PriorityLists* lists = nullptr)
      : agent_(agent), object_(object), body_(*object.body<QueueBody>()), lists_(lists) {}
  virtual ~Queue() = default;

  // Puts the records in order, as many as there is room for; `*put` says how many. The small ones
  // between two large ones become visible together. `yes` if all of them went in.
  TransferStatus put(const Record* records, size_t count, size_t* put);
  // Gets at most `count` records, and kBatchBytes of them. Their bytes are the caller's inbox if
  // they fit, one after another, else this queue's until the next call. Those of a large record are
  // its outbox.
  TransferStatus get(size_t count, std::vector<Record>* records);
  // No more puts; getters drain what is there.
  void end();

  // Is there an item (room for what the last put could not put), or will there be in a moment?
  bool spin_briefly_to_get() {
    return get_spin_.seldom(agent_.long_looks(), [this] { return counted() != 0 || over(); });
  }
  bool spin_briefly_to_put() {
    return put_spin_.seldom(agent_.long_looks(), [this] { return has_room(wanted_) || ended(); });
  }
  // Blocks at most until the deadline. True if it is worth trying again: a get, or a put of what
  // the last put could not put.
  bool wait_to_get(int64_t deadline_ns) {
    return wait_to_get_or(
        deadline_ns, [] { return false; }, [] {});
  }
  // The same, or until `is_over()`. `watch_more()` watches agents whose death may make it so.
  template <class IsOver, class Watch>
  bool wait_to_get_or(int64_t deadline_ns, IsOver is_over, Watch watch_more);
  bool wait_to_put(int64_t deadline_ns);
  // Watches the agents that have records: their items come back when they die.
  void watch();

  // Items that can be taken, including those that dead agents had claimed. Counted in the critical
  // section. If that cannot be entered, taken from the counters beside the records.
  uint64_t size();
  uint64_t bytes() const;  // of the ring in use, with the records' heads
  bool full() const { return !has_room(needed(0)); }
  bool ended() const { return body_.ended.load() != 0; }
  uint64_t max_items() const { return std::min(body_.max_items, kQueueItemsMax); }
  uint64_t largest_ring() const { return object_.table_length(); }
  // Bytes that the largest item may have.
  uint64_t largest_item() const { return largest_ring() - needed(0); }
  // With those that are delayed.
  uint64_t leased() const { return counts().leased; }
  uint64_t delayed() const { return std::min(body_.delayed.load(), leased()); }

  void set_inbox(char* bytes, size_t length) {
    inbox_ = bytes;
    inbox_length_ = length;
  }
  // Gives the memory for the bytes of a large record. If it gives nullptr, the records that are not
  // copied yet are ready again.
  using Outbox = std::function<char*(uint32_t length)>;
  void set_outbox(Outbox outbox) { outbox_ = std::move(outbox); }

  QueueBody& body() { return body_; }
  Object& object() { return object_; }
  uint64_t getters_tag() const { return object_.tag(); }
  uint64_t putters_tag() const { return object_.tag() + 1; }

 protected:
  // The ring as it stands. It is checked, so code in the critical section may rely on it.
  struct View {
    uint64_t head, tail;
    uint64_t capacity;
    uint64_t used;   // bytes
    uint64_t items;  // records that are or were items
  };
  // A record in the ring.
  struct Place {
    uint64_t offset;
    RecordHead head;
  };
  // The records that one get takes.
  struct Selection {
    size_t most;
    std::vector<Place>* places;
    uint64_t bytes = 0;
    bool is_full = false;

    // False if the record does not fit.
    bool add(const Place& place) {
      bytes += place.head.length;
      const bool fits = places->empty() || bytes <= kBatchBytes;
      if (fits) places->push_back(place);
      is_full = !fits || places->size() == most;
      return fits;
    }
  };
  // Records that are done or void, one directly behind the other.
  struct Run {
    uint64_t units = 0, items = 0;
  };
  // How far a look for the records of dead agents goes: through all records, or until it has seen
  // as many as are leased.
  enum class Reach { all, leased };
  // Of one instant.
  struct Snapshot {
    uint64_t records, tombstones, leased;  // tombstones: items in the ring that are done
  };

  static uint64_t needed(uint64_t length) {
    return kUnit * kHeadUnits + (length + kUnit - 1) / kUnit * kUnit;
  }
  static uint64_t needed_for(const Record& record) {
    return needed(uint64_t{record.length} + link_units(record.priority) * kUnit);
  }
  bool is_unwritten(const View& view, uint64_t offset) const {
    return (owner_at(view, offset).load() & kCopying) != 0 &&
           deliveries_at(view, offset).load() == kUnwritten;
  }
  static uint64_t behind(const Place& place) {
    return (place.offset + needed(place.head.length) / kUnit) & kOffsetMask;
  }

  // queue_put.cc
  bool has_tail(const CriticalSection& tail);

  // queue_ring.cc
  enum class Purpose { to_read, to_write };
  void prefetch(uint64_t position, const Record& record, Purpose purpose) const;
  bool read_view(View* view) const;
  RecordHead head_at(const View& view, uint64_t offset) const;
  std::atomic<uint64_t>& word_at(uint64_t capacity, uint64_t offset) const;
  std::atomic<uint64_t>& owner_at(const View& view, uint64_t offset) const {
    return word_at(view.capacity, offset + 1);
  }
  std::atomic<uint64_t>& deliveries_at(const View& view, uint64_t offset) const {
    return word_at(view.capacity, offset + 2);
  }
  void copy_in(uint64_t capacity, uint64_t offset, const void* from, size_t length);
  void copy_out(uint64_t capacity, uint64_t offset, void* into, size_t length) const;
  TransferStatus make_room(View* view, uint64_t bytes);
  bool wait_for_copies(const View& view);
  void move_up(const View& view);
  void free_front(View* view);

  // queue_counts.cc
  Counts counts() const;
  void set_counts(Counts counts);
  Snapshot snapshot() const;
  uint64_t occupied() const;  // items that take a place of max_items
  // size() by the counters beside the records: without the items that dead agents had claimed.
  uint64_t counted() const;
  // Ended, and nothing is left that could come back.
  bool over() const { return ended() && bytes() == 0; }

  // queue_delays.cc, in the critical section
  bool is_due() const;
  void delay(const View& view, uint64_t offset, uint64_t due_ms);
  void note_delayed(uint64_t due_ms);
  void promote(const View& view);
  void wake_for_promoted();

  // queue_priorities.cc, in the critical section
  static uint64_t link_units(uint32_t priority) { return priority == 0 ? 0 : 1; }
  uint32_t priority_of(const RecordHead& head) const;
  std::atomic<uint64_t>& link_at(const View& view, uint64_t offset) const {
    return word_at(view.capacity, offset + kHeadUnits);
  }
  static bool precedes(const View& view, uint64_t offset, uint64_t another) {
    const uint64_t first = offset_of(view.head);
    return ((offset - first) & kOffsetMask) < ((another - first) & kOffsetMask);
  }
  bool is_listed(const View& view, uint64_t offset, uint32_t priority) const;
  uint64_t enlist(const View& view, uint64_t offset, uint32_t priority, uint64_t used);
  bool follow(const View& view, uint32_t priority, uint64_t* offset);
  bool find_urgent(const View& view, Selection* selection);
  void leave_lists(const View& view, uint64_t units);
  bool is_most_urgent(const View& view, const Place& place);

  // queue_records.cc and queue_runs.cc, in the critical section
  void note_death(const CriticalSection& section);
  TransferStatus recover_and_read(const CriticalSection& section, View* view,
                                  const CriticalSection* tail = nullptr);
  bool recover();
  void recover_with_tail();
  template <class Visit>
  bool walk(const View& view, uint64_t from, Visit visit, Run* runs = nullptr);
  void count_gone(const View& view, uint64_t offset);
  void hint_ready(const View& view, uint64_t offset);
  bool measure_run(const View& view, uint64_t from, Run* run);
  uint64_t first_candidate(const View& view) const;
  bool find_ready(const View& view, size_t count, std::vector<Place>* places);
  TransferStatus find_surely(View* view, size_t count, std::vector<Place>* places,
                             bool searches = true);
  TransferStatus nothing_ready(View* view);
  void offer(const View& view, uint64_t offset);
  void reclaim(const View& view, Reach reach = Reach::all);
  bool are_done(const View& view, const Run& run) const;
  uint64_t pop_done(View* view);
  void bring_back();
  // Outside the critical section: is a reclaim() worth its walk?
  bool may_have_died();

  void count_gets(uint64_t gets);
  // Where so many bytes may be copied out to.
  char* room_for(size_t bytes);

  Agent& agent_;
  Object& object_;
  QueueBody& body_;
  PriorityLists* const lists_;
  Census census_;              // before the last reclaim() of all records
  std::vector<Place> places_;  // of the records that are being got
  uint64_t promoted_ = 0;      // records that became ready, and whose takers were not woken yet

 private:
  // A large record between the two critical sections of its put or get.
  struct Claim {
    uint64_t offset = 0;
    uint64_t capacity = 0;  // 0: there is none
  };
  // How the short way of a put went: all is put, it needs the critical section, or somebody has the
  // tail.
  enum class Append { done, otherwise, busy };

  bool has_room(uint64_t bytes) const;
  static bool is_plain(const Record& record) {
    return record.length < kLargeRecord && record.due_ms == 0 && record.priority == 0;
  }
  Append append(const Record* records, size_t count, size_t* put);
  void move_tail(uint64_t tail, uint64_t puts);
  TransferStatus put_in_section(const Record* records, size_t count, size_t* put, Claim* claim);
  void write_record(const View& view, uint64_t offset, const Record& record, bool is_large);
  TransferStatus publish(const Claim& claim);
  TransferStatus get_in_section(size_t count, std::vector<Record>* got);
  void consume(View* view);
  void claim(const View& view);
  TransferStatus receive(std::vector<Record>* got);
  char* large_room_for(uint32_t length);
  bool finish(size_t from, size_t to);
  void give_back();
  void wake_putters(uint64_t gone);

  Spin get_spin_, put_spin_;
  char* inbox_ = nullptr;
  size_t inbox_length_ = 0;
  Outbox outbox_;
  std::string scratch_;               // for what the inbox cannot hold
  std::vector<std::string> letters_;  // large records, if there is no outbox
  std::vector<Claim> claims_;
  uint64_t wanted_ = kUnit;   // bytes that the last put wanted room for
  bool cannot_grow_ = false;  // when last tried: the storage is full, or bytes are being copied
};

// What every kind of queue has in common.
KindOps queue_ops();

template <class IsOver, class Watch>
bool Queue::wait_to_get_or(int64_t deadline_ns, IsOver is_over, Watch watch_more) {
  if (spin_briefly_to_get()) return true;
  // A death ends the wait at the doorbell but not this one. So each look searches for what dead
  // agents had claimed.
  return wait_at_doorbell(
      agent_, body_.getters, getters_tag(), deadline_ns,
      [&] {
        if (counted() == 0 && (leased() != 0 || (ended() && bytes() != 0))) bring_back();
        return counted() != 0 || over() || is_over();
      },
      [&] {
        watch();
        watch_more();
      });
}

// The records from `from` on that are neither done nor void: visit(place) until it returns false.
// Adds the others to `runs`. False if the ring makes no sense.
template <class Visit>
bool Queue::walk(const View& view, uint64_t from, Visit visit, Run* runs) {
  for (uint64_t offset = from;;) {
    Run done;
    if (!measure_run(view, offset, &done)) return false;
    if (runs != nullptr) runs->items += done.items;
    offset = (offset + done.units) & kOffsetMask;
    const uint64_t left = ((offset_of(view.tail) - offset) & kOffsetMask) * kUnit;
    if (left == 0) return true;
    const Place place{offset, head_at(view, offset)};
    if (needed(place.head.length) > left) return false;
    if (!visit(place)) return true;
    offset = behind(place);
  }
}

}  // namespace holdfast::core

#endif
