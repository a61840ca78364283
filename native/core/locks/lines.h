// The index of a LockManager's table: the requests for each name in line, and those of each agent.
//
// All of it is used in the critical section. No order of writes matters here: a death in between
// leaves LockManagerBody::changing at 1, and the index is made anew.
#ifndef HOLDFAST_CORE_LOCKS_LINES_H
#define HOLDFAST_CORE_LOCKS_LINES_H

#include "core/locks/cells.h"

namespace holdfast::core {

class Lines {
 public:
  Lines(Object& object, Cells& cells)
      : object_(object), body_(*object.body<LockManagerBody>()), cells_(cells) {}

  // ---- by name. The leader is the first request for a name; 0: there is none.

  uint32_t find(const LockName& name);
  // Puts a request at the end of its line, or in front of it. Returns the leader.
  uint32_t append(uint32_t leader, uint32_t index);
  uint32_t prepend(uint32_t leader, uint32_t index);
  // Returns the leader of those that are left.
  uint32_t remove(uint32_t leader, uint32_t index);
  // The first that holds; 0: nobody. The abandoned one does not count.
  uint32_t first_holder(uint32_t leader);

  // ---- by agent

  void add_to_agent(uint32_t index);
  void remove_from_agent(uint32_t index);
  // Makes it the first: its agent has to be told of it.
  void put_first(uint32_t index);
  // The first request of this agent, or of an agent that had its slot of the registry before.
  uint32_t first_of_agent(AgentId id) { return agent_head(static_cast<uint32_t>(id)); }

  // ---- the hash table. It grows by one bucket with each name, so no request pays for all names.

  // Before the first name. False: no storage.
  bool has_buckets() { return body_.buckets.load() != 0 || add_buckets(); }
  void clear();

 private:
  uint32_t& agent_head(uint32_t slot) {
    return reinterpret_cast<uint32_t*>(object_.table())[slot & (kSlotCount - 1)];
  }
  uint32_t* all_buckets() {
    return reinterpret_cast<uint32_t*>(object_.table() + cells_.shape().buckets_offset);
  }
  uint32_t& bucket(uint64_t hash);
  // The first ones, or one more. False: no storage.
  bool add_buckets();
  void move_names_to(uint32_t added);
  void add_leader(uint32_t index);
  // `other` takes the place of the leader in its bucket; 0: nobody does.
  void replace_leader(uint32_t leader, uint32_t other);

  Object& object_;
  LockManagerBody& body_;
  Cells& cells_;
  uint32_t no_bucket_ = 0;
};

}  // namespace holdfast::core

#endif
