// Written by scripts/agreed.mjs from native/agreed.mjs: change that.
#ifndef HOLDFAST_CORE_AGREED_H
#define HOLDFAST_CORE_AGREED_H

#include <cstddef>
#include <cstdint>

namespace holdfast::core {

// Kinds of objects. In every file: part of the format.
enum class Kind : uint32_t {
  registry = 1,
  lock = 2,
  rlock = 3,
  semaphore = 4,
  queue = 5,
  bounded_semaphore = 6,
  condition = 7,
  event = 8,
  barrier = 9,
  joinable_queue = 10,
  shared_memory = 11,
  read_write_lock = 12,
  lock_manager = 13,
};

// What open() of the addon is asked for: bits.
enum class OpenFlag : uint32_t {
  exclusive = 1,
  must_exist = 2,
  persistent = 4,
  anonymous = 8,
  initial_given = 16,
  lock_given = 32,
};

// How an agent holds something. claim: of a writer that waits for readers to leave.
enum class HoldMode : uint32_t {
  exclusive = 0,
  shared = 1,
  claim = 2,
};

// What a core operation came to. src/errors.ts has a class of error for every code but ok.
enum class Code : uint32_t {
  ok = 0,
  closed = 1,
  // release of what nobody holds
  not_locked = 2,
  // release by another agent than the holder
  not_owner = 3,
  // a semaphore would pass its largest value
  over_release = 4,
  deadlock = 5,
  exists = 6,
  not_found = 7,
  // the same name with another kind, limit or layout
  incompatible = 8,
  // a file that is not ours, or was ours once
  corrupt = 9,
  // storage, descriptors or slots have run out
  no_space = 10,
  // a directory or object that this user must not trust, or may not use
  permission = 11,
  // another process kept the directory locked for longer than an open may wait
  busy = 12,
  // a put after end(), or a get when all is drained
  ended = 13,
  // anything else that the operating system refused
  system = 14,
  // somebody removed files of the directory while processes were using them
  removed = 15,
};

// Which waiting writers a reader of a ReadWriteLock does not give way to. A thread that blocks
// would otherwise wait for itself: for its own claim, which nothing serves meanwhile; and, if it
// reads already, for the claim of any writer.
enum class WritersToBypass : uint32_t {
  nobody = 0,
  myself = 1,
  waiting = 2,
};

// What has become of a wait of a Condition.
enum class WaitStatus : uint32_t {
  none = 0,
  notified = 1,
  // a waiter died after it was notified: rescue() passes the notification on
  rescue = 2,
};

// How far an arrival at a Barrier has come.
enum class ArrivalStatus : uint32_t {
  not_yet = 0,
  // the round is over and all were there
  passed = 1,
  // last to arrive: run the action, then finish()
  act = 2,
  arrived = 3,
  broken = 4,
};

// How a put or get of a queue went.
enum class TransferStatus : uint32_t {
  yes = 0,
  // empty, full, or its mutex was taken for longer than a call may wait
  not_yet = 1,
  ended = 2,
  // for this queue, ever
  too_large = 3,
  // the ring has to grow and the storage is full
  no_space = 4,
  corrupt = 5,
  // as not_yet: the ring would have to grow, and there is no storage for that now
  storage_full = 6,
};

// What has become of a request to a LockManager.
enum class RequestStatus : uint32_t {
  pending = 0,
  granted = 1,
  // it was granted, and another request stole the lock
  stolen = 2,
  // not at once; nothing was queued
  unavailable = 3,
  // the table has no room, or the storage
  full = 4,
  // there is no such request of this thread
  gone = 5,
  // the critical section was taken for longer than a call may wait: try again
  busy = 6,
  corrupt = 7,
};

// How a queue's items are encoded. In every queue's file: part of the format.
enum class Codec : uint32_t {
  // what a new queue has unless told otherwise
  structured = 1,
  json = 2,
  buffer = 3,
  custom = 4,
};

// Bytes of the longest name of an object, in UTF-8, the NUL not counted.
constexpr size_t kNameMax = 4096;

// The most requests of one table of a LockManager.
constexpr uint32_t kRequestsMax = 1048576;

// The greatest priority of an item of a JoinableQueue.
constexpr uint32_t kPriorityMax = 9;

// Bytes of what an agent tells of its long waits (core/agents/told_waits.h).
constexpr int64_t kWaitRecordMax = 1048576;

// A waiter retries by itself after this long at the latest (INV-6).
constexpr int64_t kSlice_ms = 50;

// The same of a waiter that hears of everything that could end its wait (INV-28).
constexpr int64_t kDoze_ms = 1000;

// Others give way to an agent that has waited in vain for this long (INV-23).
constexpr int64_t kOverdue_ms = 3;

}  // namespace holdfast::core

#endif
