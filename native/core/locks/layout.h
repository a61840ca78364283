// The table of a LockManager in shared memory: every request of every agent for a named lock.
//
// The table is made of cells. A cell is free, or one request, or a part of a long name. `owner`,
// `state` and `token` of the requests are the truth. The lists that join the cells are an index:
// it can be made anew from the truth at any time, and is after a death in the critical section.
//
// What follows the body:
//
//   agents    for each slot of the registry the first request in the list of its agent
//   cells     number 0 is never used: as a link it means "none"
//   buckets   the hash table of names: for each bucket the first name in its list
//
// Cells and buckets get their storage as they are needed.
#ifndef HOLDFAST_CORE_LOCKS_LAYOUT_H
#define HOLDFAST_CORE_LOCKS_LAYOUT_H

#include "core/layout.h"

namespace holdfast::core {

// | owner | state     | what it is
// | 0     |           | free, or a part of a name
// | live  | pending   | waits in the queue of its name
// | live  | held      | holds the lock
// | live  | stolen    | held the lock until another request stole it; its agent has to be told
// | any   | abandoned | an exclusive holder that died: news for each request that has the lock,
// |       |           | until an exclusive one has it
// | dead  | held      | exclusive: becomes abandoned when somebody sees it. Shared: is removed then
// | dead  | other     | is removed when somebody sees it
enum class RequestState : uint32_t { pending = 1, held = 2, stolen = 3, abandoned = 4 };

enum RequestFlags : uint32_t {
  kExclusive = 1,
  kLatin1 = 2,      // the name is one byte a character, otherwise UTF-16
  kUntold = 4,      // granted or stolen, and its agent has not read that yet
  kAfterDeath = 8,  // was granted while the name had an abandoned holder
};

constexpr uint32_t kShortLockName = 52;      // bytes that a request has room for
constexpr uint32_t kLockNameMax = 1u << 22;  // bytes

struct RequestCell {
  std::atomic<uint64_t> owner;  // written last when a request is made, first when it ends
  uint64_t ticket;              // the order of the requests; never 0
  uint64_t token;               // of the grant; 0 before it
  uint64_t name_hash;
  std::atomic<uint32_t> state;
  uint32_t flags;
  uint32_t name_length;  // bytes
  uint32_t name_next;    // the cell where the name goes on
  // The index. All requests for a name are one list: the abandoned one, those that hold, those that
  // wait, in this order. The first of the list is the leader: the hash table leads to it.
  uint32_t next;
  uint32_t previous;       // of the leader: the last
  uint32_t first_pending;  // in the leader only
  uint32_t bucket_next;    // in the leader: the next name in its bucket. In a free cell: the next
  // All requests of an agent are one list, and those that it must be told of come first.
  uint32_t agent_next;
  uint32_t agent_previous;  // of the first: the last
  uint32_t slot;            // of the agent in the registry
  char name[kShortLockName];
};
static_assert(sizeof(RequestCell) == 128);

inline bool is(const RequestCell& request, RequestState state) {
  return request.state.load() == static_cast<uint32_t>(state);
}

struct NameCell {
  std::atomic<uint64_t> owner;  // 0
  uint32_t name_next;           // the cell where the name goes on
  uint32_t unused;
  char bytes[112];
};
static_assert(sizeof(NameCell) == sizeof(RequestCell));

struct LockManagerBody {
  alignas(64) std::atomic<uint64_t> last_token;  // begins with the time at which the table was made
  std::atomic<uint64_t> last_ticket;
  std::atomic<uint64_t> holder;    // an exclusive holder, or one that held just now; see
                                   // Header::owners_offset. 0: there is none, nor an abandoned one
  std::atomic<uint32_t> changing;  // 1: the index may be wrong
  std::atomic<uint32_t> used;      // cells 1..used have been in use
  std::atomic<uint32_t> reserved;  // cells 0..reserved-1 have storage
  std::atomic<uint32_t> buckets;   // about as many as names at most; 0 before the first request
  // Counted with the index.
  uint32_t free_first;
  uint32_t free_count;
  uint32_t requests;
  uint32_t names;
  uint32_t exclusive_holders;  // abandoned ones too
  uint32_t unused;
  std::atomic<uint64_t> grants;  // since the table was made
  std::atomic<uint64_t> contentions;
  std::atomic<uint64_t> abandonments;
  std::atomic<uint64_t> steals;
  alignas(64) platform::traits::MutexStorage mutex;
};
static_assert(sizeof(Header) + sizeof(LockManagerBody) <= kObjectLength);

// How long each part of a table for so many requests is. Names that do not fit into their request
// take cells of their own, so there are more cells than requests.
struct TableShape {
  uint32_t requests;
  uint32_t cells;  // with number 0
  uint32_t buckets;
  uint64_t cells_offset;
  uint64_t buckets_offset;
  uint64_t length;

  static constexpr uint64_t kAgentsLength = uint64_t{kSlotCount} * sizeof(uint32_t);
  static constexpr TableShape of(uint32_t requests) {
    const uint32_t cells = 2 * requests + 4096;
    uint32_t buckets = 1024;
    while (buckets < requests) buckets *= 2;
    const uint64_t buckets_offset = kAgentsLength + uint64_t{cells} * sizeof(RequestCell);
    return {requests,      cells,          buckets,
            kAgentsLength, buckets_offset, buckets_offset + uint64_t{buckets} * sizeof(uint32_t)};
  }
};

}  // namespace holdfast::core

#endif
