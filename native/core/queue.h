// Queue: a ring of records under a robust guard.
//
//   put   under the guard: write the record behind the tail, then publish it by one store of `tail`.
//   get   under the guard: copy the record at the head, then consume it by one store of `head`.
//   grow  under the guard: reserve as much again, copy the lower half to the upper, then publish it by
//         one store of `capacity`. A place is an offset modulo the capacity, so every record that is
//         in the ring stands, after the copy, where the larger capacity will look for it.
//
// INV-12 A death at any instruction under the guard leaves a valid ring: what is not published does not
//        exist, what is not consumed is still there. So whoever finds the guard abandoned goes on.
// INV-13 Nothing is ever touched beyond the reserved capacity.
#ifndef HOLDFAST_CORE_QUEUE_H
#define HOLDFAST_CORE_QUEUE_H

#include <string>
#include <vector>

#include "core/waiting.h"

namespace holdfast::core {

// A record to put, or one that was got. `type` is the codec's, and means nothing here.
struct Record {
  uint32_t type = 0;
  const char* bytes = nullptr;
  uint32_t length = 0;
};

enum class Moved {  // numbers of `moved` in src/native.ts
  yes,
  not_yet,   // empty, full, or the guard was taken for longer than a call may wait
  ended,
  too_large, // for this queue, ever
  no_space,  // the ring has to grow and the storage is full
  corrupt,
};

class Queue {
 public:
  Queue(Agent& agent, Object& object)
      : agent_(agent), object_(object), body_(*object.body<QueueBody>()) {}

  // Puts the records in order, as many as there is room for; `*put` says how many. They become visible
  // together. `yes` if all of them went in.
  Moved put(const Record* records, size_t count, size_t* put);
  // Gets at most `count` records. Their bytes are this queue's until the next call.
  Moved get(size_t count, std::vector<Record>* records);
  // No more puts; getters drain what is there.
  void end();

  // Blocks at most until the deadline; true if a get (a put of what the last put could not) is
  // worth trying.
  bool wait_to_get(int64_t deadline_ns);
  bool wait_to_put(int64_t deadline_ns);

  uint64_t size() const;   // items
  uint64_t bytes() const;  // of the ring in use, with the records' heads
  bool full() const { return size() >= max_items() || !has_room(kUnit); }
  bool ended() const { return body_.ended.load() != 0; }
  uint64_t max_items() const { return std::min(body_.max_items, kQueueItemsMax); }
  uint64_t largest_ring() const { return object_.header()->byte_length - kObjectLength; }
  // Bytes that the largest item may have.
  uint64_t largest_item() const { return largest_ring() - kUnit; }

  QueueBody& body() { return body_; }
  uint64_t getters_tag() const { return object_.tag(); }
  uint64_t putters_tag() const { return object_.tag() + 1; }

 private:
  static constexpr uint64_t kUnit = 8;  // records start on it; a record's head is one
  struct View;

  static uint64_t needed(uint32_t length) { return kUnit + (length + kUnit - 1) / kUnit * kUnit; }
  bool has_room(uint64_t bytes) const;
  bool lock_guard();
  void unlock_guard();
  bool read_view(View* view) const;
  Moved make_room(View* view, uint64_t bytes);
  void copy_in(uint64_t capacity, uint64_t offset, const void* from, size_t length);
  void copy_out(uint64_t capacity, uint64_t offset, void* into, size_t length) const;

  Agent& agent_;
  Object& object_;
  QueueBody& body_;
  uint64_t wanted_ = kUnit;     // bytes that the last put wanted room for
  bool cannot_grow_ = false;    // when last tried: the storage is full
  std::string scratch_;
};

}  // namespace holdfast::core

#endif
