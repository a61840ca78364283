// The format of everything in shared memory.
//
// Two formats count by themselves (docs/adr/0032-frozen-formats.md). A change of a body, or of what
// follows it, is a change of kFormatVersion. The header, the registry, the doorbells and the names
// of files are frozen: every version of holdfast that comes to a directory shares them.
//
// Every word that two agents may touch at once is a lock-free std::atomic, and every word has a
// table of the states it can be in. All files are mapped whole and never change their length.
#ifndef HOLDFAST_CORE_LAYOUT_H
#define HOLDFAST_CORE_LAYOUT_H

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "core/agreed.h"
#include "platform/platform.h"

namespace holdfast::core {

using AgentId = uint64_t;  // 0 is nobody; see registry.h

constexpr uint64_t kMagic = 0x31545341'46444C48;  // "HLDFAST1", little-endian
constexpr uint32_t kFormatVersion = 16;           // of objects
constexpr uint32_t kRegistryFormat = 6;           // frozen
constexpr size_t kShortNameMax = 255;             // of a name that the header has room for

// Two programs may share a file only if the C library lays its objects out alike in both, and if
// both take what is in a mutex for the same.
inline uint64_t layout_signature() {
  const size_t mutex_size =
      platform::kernel_marks_mutexes() ? platform::traits::kMutexSize : sizeof(uint64_t);
  return (uint64_t{sizeof(void*)} << 56) | (uint64_t{platform::traits::kLibraryId} << 48) |
         (uint64_t{platform::traits::kSemaphoreSize} << 24) | uint64_t{mutex_size};
}

// ---------------------------------------------------------------- header: frozen

constexpr uint32_t kOwnersMax = 4096;  // of any format

// | magic  | state  | what it is
// | 0      | 0      | half-made: its creator has the directory's lock, or died; no semaphore yet
// | kMagic | making | half-made: the semaphore named in it may exist
// | kMagic | ready  | an object
// | kMagic | removed | its name is being taken away; the process that finds it goes on with that
// | other  |        | not ours
enum class State : uint32_t { making = 1, ready = 2, removed = 3 };

enum Flags : uint32_t {
  kPersistent = 1,  // stays when its last user is gone
  kAnonymous = 2,   // nobody can know its name any more once its users are dead
};

struct Header {
  std::atomic<uint64_t> magic;
  uint32_t version;
  Kind kind;
  uint64_t signature;
  uint64_t byte_length;
  std::atomic<State> state;
  std::atomic<uint32_t> flags;
  uint64_t tag;  // in a wake-up for this object; 1..2^53-1, so that it is a number of JavaScript.
                 // An object with more than one wait set has the numbers after it, too: see kTags
  uint64_t created_us;  // wall clock
  uint32_t creator_pid;
  uint32_t initial;  // what it was made with. Semaphore: value; BoundedSemaphore: permits;
                     // Barrier: parties
  char posix_name[platform::kSemaphoreNameMax + 1];  // "" if it has no semaphore
  uint32_t name_length;
  char name[kShortNameMax + 1];  // "" if the name is longer
  uint32_t name_offset;          // where a longer name is, in bytes from here; otherwise 0
  // The words that name the holders, if the next one must be told of the death of a holder whom no
  // user of the object outlived. An id in one of them, and nobody uses the object: it is such a
  // death.
  uint32_t owners_offset;  // of the first, in bytes from here
  uint32_t owners_stride;  // from one to the next
  uint32_t owners_count;   // 0: there are none
  uint32_t unused;
  // Which file the semaphore was made for. In a copy of that file it is another object's.
  uint64_t home_device;
  uint64_t home_inode;
  // Of the registry: the boot of the machine in which it was made. Zero if that is not known.
  uint64_t boot[2];
  char reserved[104];
};
static_assert(sizeof(Header) == 512, "the header is part of the file format");
static_assert(offsetof(Header, posix_name) == 64 && offsetof(Header, name_length) == 96);
static_assert(offsetof(Header, name_offset) == 356 && offsetof(Header, home_device) == 376);

// ---------------------------------------------------------------- wait set

constexpr uint32_t kWaitSetSize = 128;

// entry: 0, or the agent that waits. wake_bits: one bit for each entry.
// | entry | bit | what it is
// | 0     | 0   | free
// | id    | 1   | wants to be woken
// | id    | 0   | waits in the kernel (inspect counts it, nobody wakes it); or is enrolling; or its
// |       |     | waker died after the bit, before the entry (the next slice sets the bit again)
// | 0     | 1   | left by an agent that cancelled or died; the next waker takes the bit, goes on
//
// `overdue` names the agent that has waited longest, if that is 3 ms or longer
// (core/registry/overdue.h):
//
//   bits 0..23   the low bits of its id
//   bits 24..63  CLOCK_MONOTONIC in milliseconds: since when it has waited
//
// | overdue | what it is
// | 0       | nobody; or the longest waiter has not tried since
// | live    | all others give way to it
// | dead    | nobody: the first agent that sees it takes it out
//
// `given_way`: as `patience` below, of a try that found the object free and gave way.
//
// `dozing` (core/registry/dozing.h):
//
//   bit 0       agents may doze: the next release of a Lock or RLock wakes all who wait
//   bits 1..63  how often an agent has begun to doze
struct WaitSet {
  std::atomic<uint64_t> wake_bits[kWaitSetSize / 64];
  std::atomic<uint32_t> next_enrol;  // hints: where to look first, for first come, first woken
  std::atomic<uint32_t> next_wake;
  std::atomic<uint64_t> overdue;
  std::atomic<uint64_t> given_way;
  std::atomic<uint64_t> dozing;
  std::atomic<uint64_t> entry[kWaitSetSize];
  std::atomic<uint32_t> waiting[kWaitSetSize];  // acquisitions that wait behind the entry
};

// ---------------------------------------------------------------- objects

// `patience` of Lock, RLock and ReadWriteLock (core/waiting/patience.h): when an agent found it
// free and could not acquire it. It is reset when an object is adopted, so it has no time from
// before a restart of the machine.
//
//   bits 0..39   CLOCK_MONOTONIC in milliseconds
//   bits 40..63  acquisitions until then, modulo 2^24
//
// | patience | what it is
// | 0        | not since it was made or adopted
// | other    | since then, if it has not been acquired meanwhile; otherwise old news

// `held_since` of the same: when somebody saw it held (core/waiting/held_since.h). It is reset when
// an object is adopted, too.
//
//   bits 0..39   CLOCK_MONOTONIC in milliseconds
//   bits 40..63  acquisitions until then, modulo 2^24
//
// | held_since | what it is
// | 0          | not since it was made or adopted
// | other      | first seen held then, if it has not been acquired since; otherwise old news

// Lock and RLock.
// | owner | what it is
// | 0     | free. Lock: a token is in the semaphore, or in flight, or lost and found by INV-3
// | live  | held
// | dead  | abandoned: the agent that swaps it for its own id holds it, and is told
//
// `asleep` is where threads are parked (core/waiting/parking.h).
// | asleep | what it is
// | 0      | nobody is parked; or who is overdue was not, and will ask for the others
// | 1      | somebody may be parked: the next release writes the time and wakes one
// | other  | one was woken then, and will ask for the others; or it died (INV-6). The time is in
// |        | steps of 16 us. A release that sees it 100 us later wakes one more
struct OwnedBody {
  alignas(64) std::atomic<uint64_t> owner;
  std::atomic<uint64_t> acquisitions;
  std::atomic<uint32_t> depth;  // RLock: written by the owner alone
  std::atomic<uint32_t> asleep;
  std::atomic<uint64_t> contentions;     // acquisitions that had to wait
  std::atomic<uint64_t> abandonments;    // acquisitions from a dead owner
  std::atomic<uint64_t> mutex_owner;     // RLock: the agent that has the mutex; written by it alone
  platform::traits::MutexStorage mutex;  // RLock
  std::atomic<uint64_t> patience;
  std::atomic<uint64_t> held_since;
  alignas(64) WaitSet waiters;
};

struct SemaphoreBody {
  alignas(64) std::atomic<uint64_t> acquisitions;
  std::atomic<uint64_t> contentions;
  // Used only where the system does not tell the value of a semaphore: posts minus waits. A death
  // between a wait and its count leaves it one too high.
  std::atomic<int32_t> value;
  uint32_t reserved;
  alignas(64) WaitSet waiters;
};

// BoundedSemaphore: a permit, whose words of `owner` are a Lock's. ReadWriteLock: a reader's place,
// and the number of its acquisition.
struct Permit {
  std::atomic<uint64_t> owner;
  std::atomic<uint64_t> hold;
};
struct BoundedBody {
  alignas(64) std::atomic<uint64_t> acquisitions;
  std::atomic<uint64_t> contentions;
  std::atomic<uint64_t> abandonments;
  alignas(64) WaitSet waiters;
};  // and a table of Permit
constexpr uint32_t kPermitsMax = 4096;

// ReadWriteLock.
// | writer | writing    | what it is
// | 0      | 0          | readers may enter
// | id     | not id     | wants to write, and waits for the readers inside to leave; none enters
// | id     | id         | writes
// | any    | somebody   | that one died writing: news for all until the next writer is in
// |        | dead       |
// A dead id in `writer` keeps nobody out. A reader is an id in the table; a dead one is nobody.
struct ReadWriteBody {
  alignas(64) std::atomic<uint64_t> writer;
  std::atomic<uint64_t> writing;
  std::atomic<uint64_t> hold;          // of the writer: the number of its acquisition
  std::atomic<uint64_t> acquisitions;  // of both modes
  std::atomic<uint64_t> contentions;
  std::atomic<uint64_t> abandonments;
  std::atomic<uint64_t> turn;  // readers that a writer has let go first
  std::atomic<uint64_t> patience;
  std::atomic<uint64_t> held_since;  // by the writer
  alignas(64) WaitSet readers;
  alignas(64) WaitSet writers;
};  // and a table of Permit
constexpr uint32_t kReadersMax = 1024;

// Event. Bit 0: is it set. Above: how often it was set, so that a waiter sees a pulse that is over.
struct EventBody {
  alignas(64) std::atomic<uint64_t> word;
  alignas(64) WaitSet waiters;
};

// Condition: a table of those who wait. Only the holder of the condition's lock changes it.
// | owner | state    | what it is
// | 0     |          | free
// | live  | waiting  | waits
// | live  | notified | was notified and is on its way to the lock
// | dead  | waiting  | died waiting: free
// | dead  | notified | died on its way: its notification belongs to the next in line
struct Waiting {
  std::atomic<uint64_t> owner;
  std::atomic<uint64_t> ticket;  // first come, first notified
  std::atomic<uint32_t> state;
  uint32_t reserved;
};
struct ConditionBody {
  alignas(64) std::atomic<uint64_t> next_ticket;
  std::atomic<uint64_t> notifications;
  std::atomic<uint64_t> lock_tag;  // which lock it goes with; 0 until somebody has opened both
  Kind lock_kind;
  uint32_t lock_name_length;
  char lock_name[kNameMax];
};  // and a table of Waiting
constexpr uint32_t kConditionWaitsMax = 1024;

// Barrier: one word has everything that changes together, so that one store changes it. It is
// written in the critical section.
//
//   bits 0..15   parties that have arrived
//   bits 16..17  phase: 0 filling, 1 acting (all are there, the action runs), 2 broken
//   bits 18..63  round
struct BarrierBody {
  alignas(64) std::atomic<uint64_t> state;
  std::atomic<uint64_t> actor;       // the agent that runs the action
  std::atomic<uint64_t> tripped;     // one bit for each of the last 63 rounds: did it trip
  std::atomic<uint64_t> last_break;  // the last round that did not, and 1
  std::atomic<uint64_t> breaks;
  alignas(64) platform::traits::MutexStorage mutex;
  alignas(64) WaitSet waiters;
  alignas(64) WaitSet arrivals;  // too early: the round before is not over yet
};                               // and a table of the agents that have arrived, uint64_t each
constexpr uint32_t kPartiesMax = 4096;

enum class Phase : uint64_t { filling = 0, acting = 1, broken = 2 };
struct Round {
  uint64_t number;
  Phase phase;
  uint64_t arrived;
  static constexpr Round of(uint64_t state) {
    return {state >> 18, static_cast<Phase>((state >> 16) & 3), state & 0xFFFF};
  }
  constexpr uint64_t state() const {
    return (number << 18) | (static_cast<uint64_t>(phase) << 16) | arrived;
  }
};

// What follows the body begins here: a ring, a table, or the bytes of a SharedMemory.
// A name that is too long for the header has a page of its own between the two.
constexpr size_t kObjectLength = 4096;
constexpr size_t kConditionLength = 8192;
constexpr size_t kLongNameLength = 4096;
static_assert(kLongNameLength >= kNameMax);

constexpr uint64_t kSharedMemoryMax = uint64_t{1}
                                      << 32;  // what every supported V8 can show as one buffer

constexpr uint64_t kTags = 4;  // numbers that an object takes for its wakes

static_assert(sizeof(Header) + sizeof(OwnedBody) <= kObjectLength);
static_assert(sizeof(Header) + sizeof(SemaphoreBody) <= kObjectLength);
static_assert(sizeof(Header) + sizeof(BoundedBody) <= kObjectLength);
static_assert(sizeof(Header) + sizeof(ReadWriteBody) <= kObjectLength);
static_assert(sizeof(Header) + sizeof(EventBody) <= kObjectLength);
static_assert(sizeof(Header) + sizeof(ConditionBody) <= kConditionLength);
static_assert(sizeof(Header) + sizeof(BarrierBody) <= kObjectLength);
static_assert(sizeof(Header) % 64 == 0, "bodies start on a cache line");

// ---------------------------------------------------------------- registry: frozen

constexpr uint32_t kSlotBits = 12;
constexpr uint32_t kSlotCount = 1u << kSlotBits;  // agents of one user at one time
constexpr size_t kProcessNameMax = 31;

// id: 0, or the agent that lives here. The other fields are written before the id is published.
// They may be read while the slot changes hands, and the reader finds out by the id: so they are
// atomic as well.
struct Slot {
  std::atomic<uint64_t> id;
  std::atomic<uint64_t> start_time;
  std::atomic<uint32_t> pid_namespace;  // inode numbers of namespaces are this short
  std::atomic<uint32_t> tid;            // the kernel's, in its pid namespace
  std::atomic<uint32_t> pid;
  std::atomic<uint32_t> thread_id;  // Node's; 0 is the main thread
  std::atomic<uint64_t> process_name[(kProcessNameMax + 1) / 8];
};
static_assert(sizeof(Slot) == 64);

struct RegistryBody {
  std::atomic<uint64_t> next_generation;  // written under the directory's lock
  char reserved[56];
  Slot slots[kSlotCount];
};
constexpr size_t kRegistryLength = sizeof(Header) + sizeof(RegistryBody);

static_assert(std::atomic<uint64_t>::is_always_lock_free);
static_assert(std::atomic<uint32_t>::is_always_lock_free);
static_assert(sizeof(std::atomic<uint64_t>) == 8 && sizeof(std::atomic<uint32_t>) == 4);

}  // namespace holdfast::core

#endif
