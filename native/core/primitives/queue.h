// Queue: a ring of records, changed in a critical section.
//
//   put    Write the record behind the tail, then publish it by one store of `tail`.
//   get    Copy the record at the head, then consume it by one store of `head`.
//   grow   Reserve as much again, copy the lower half to the upper half, then publish the new size
//          by one store of `capacity`. A record's place is its offset modulo the capacity. So after
//          the copy every record of the ring is where the larger capacity looks for it.
//
// INV-12 A death at any instruction of the critical section leaves a valid ring: a record that is
// not published does not exist, and a record that is not consumed is still there. So an agent that
// finds the mutex abandoned goes on.
//
// INV-13 Nothing beyond the reserved capacity is ever touched.
#ifndef HOLDFAST_CORE_PRIMITIVES_QUEUE_H
#define HOLDFAST_CORE_PRIMITIVES_QUEUE_H

#include <string>
#include <vector>

#include "core/store/kind_ops.h"
#include "core/waiting/critical_section.h"
#include "core/waiting/waiting.h"

namespace holdfast::core {

// A record to put, or one that was got. `type` is the codec's, and means nothing here.
struct Record {
  uint32_t type = 0;
  const char* bytes = nullptr;
  uint32_t length = 0;
};

// Positions: see QueueBody in layout.h.
constexpr uint32_t kOffsetBits = 40;
constexpr uint64_t kOffsetMask = (uint64_t{1} << kOffsetBits) - 1;
constexpr uint64_t kUnit = 8;  // records start on it

inline uint64_t offset_of(uint64_t position) { return position & kOffsetMask; }
inline uint64_t items_of(uint64_t position) { return position >> kOffsetBits; }
inline uint64_t advance(uint64_t position, uint64_t units, uint64_t items) {
  return ((offset_of(position) + units) & kOffsetMask) |
         ((items_of(position) + items) << kOffsetBits);  // what overflows falls out at the top
}

struct RecordHead {  // one unit; then the words of a lease, if the queue has leases; then the bytes
  uint32_t length;
  uint32_t type;
};
static_assert(sizeof(RecordHead) == kUnit);

class Queue {
 public:
  Queue(Agent& agent, Object& object) : Queue(agent, object, 0) {}
  virtual ~Queue() = default;

  // Puts the records in order, as many as there is room for; `*put` says how many. They become
  // visible together. `yes` if all of them went in.
  TransferStatus put(const Record* records, size_t count, size_t* put);
  // Gets at most `count` records. Their bytes are the caller's inbox if they fit, one after
  // another, else this queue's until the next call.
  TransferStatus get(size_t count, std::vector<Record>* records);
  // No more puts; getters drain what is there.
  void end();

  // Is there an item (room for what the last put could not put), or will there be in a moment?
  bool spin_briefly_to_get() {
    return get_spin_([this] { return size() != 0 || ended(); });
  }
  bool spin_briefly_to_put() {
    return put_spin_([this] { return has_room(wanted_) || ended(); });
  }
  // Blocks at most until the deadline. True if it is worth trying again: a get, or a put of what
  // the last put could not put.
  bool wait_to_get(int64_t deadline_ns);
  bool wait_to_put(int64_t deadline_ns);

  uint64_t size() const { return records(); }
  uint64_t bytes() const;  // of the ring in use, with the records' heads
  bool full() const { return !has_room(needed(0)); }
  bool ended() const { return body_.ended.load() != 0; }
  uint64_t max_items() const { return std::min(body_.max_items, kQueueItemsMax); }
  uint64_t largest_ring() const { return object_.table_length(); }
  // Bytes that the largest item may have.
  uint64_t largest_item() const { return largest_ring() - needed(0); }

  void set_inbox(char* bytes, size_t length) {
    inbox_ = bytes;
    inbox_length_ = length;
  }

  QueueBody& body() { return body_; }
  Object& object() { return object_; }
  uint64_t getters_tag() const { return object_.tag(); }
  uint64_t putters_tag() const { return object_.tag() + 1; }

 protected:
  // For a queue whose records have this many words beside their bytes.
  Queue(Agent& agent, Object& object, uint64_t lease_units)
      : agent_(agent),
        object_(object),
        body_(*object.body<QueueBody>()),
        lease_units_(lease_units) {}
  // The ring as it stands. It is checked, so code in the critical section may rely on it.
  struct View {
    uint64_t head, tail;
    uint64_t capacity;
    uint64_t used;   // bytes
    uint64_t items;  // records
  };

  uint64_t needed(uint32_t length) const {
    return kUnit * (1 + lease_units_) + (length + kUnit - 1) / kUnit * kUnit;
  }
  uint64_t records() const;
  // Records in the ring that take a place of max_items.
  virtual uint64_t occupied() const { return records(); }
  // Must recover() run although the mutex tells of no death? Both are called in the critical
  // section.
  virtual bool must_recover() const { return false; }
  virtual void recover() {}
  void recover_if_due(const CriticalSection& section);
  bool note_death(const CriticalSection& section);
  bool read_view(View* view) const;
  RecordHead head_at(uint64_t capacity, uint64_t offset) const;
  std::atomic<uint64_t>& word_at(uint64_t capacity, uint64_t offset) const;
  void copy_out(uint64_t capacity, uint64_t offset, void* into, size_t length) const;
  // Where so many bytes may be copied out to.
  char* room_for(size_t bytes);

  Agent& agent_;
  Object& object_;
  QueueBody& body_;

 private:
  bool has_room(uint64_t bytes) const;
  TransferStatus put_in_section(const Record* records, size_t count, size_t* put);
  TransferStatus get_in_section(size_t count, std::vector<Record>* records);
  TransferStatus make_room(View* view, uint64_t bytes);
  void copy_in(uint64_t capacity, uint64_t offset, const void* from, size_t length);

  const uint64_t lease_units_;
  Spin get_spin_, put_spin_;
  char* inbox_ = nullptr;
  size_t inbox_length_ = 0;
  std::string scratch_;            // for what the inbox cannot hold
  std::vector<uint64_t> offsets_;  // of the records that are being got
  uint64_t wanted_ = kUnit;        // bytes that the last put wanted room for
  bool cannot_grow_ = false;       // when last tried: the storage is full
};

// What every kind of queue has in common.
KindOps queue_ops();

}  // namespace holdfast::core

#endif
