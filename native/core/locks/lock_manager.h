// LockManager: one table for all named locks of a namespace, as the Web Locks API has them.
//
//   request   in the critical section: a cell for the request. Granted at once if nothing is in its
//             way, otherwise at the end of the line of its name.
//   serve     in the critical section, after whatever made something free: the first of a line is
//             granted if it can be, and shared requests behind it too. Their agents are woken.
//   release   in the critical section: the request's `owner` becomes 0, then its line is served.
//   steal     a new request is held at once. Those that held before are stolen.
//   look      of a waiter, each slice: the dead that are in the way of its own requests leave.
//
// INV-20 A request is one cell, and one write decides each step: `owner` that it is there, `state`
//        that it holds, `owner` again that it has ended. Of several exclusive holders of a name the
//        one with the highest token holds; that is a steal whose thief died before it had told.
// INV-21 Everything else in the table can be made anew from the cells, and is after a death in the
//        critical section (`changing`). So no death costs a request of another agent.
// INV-22 Tokens only grow, over all names and the whole life of the table. A table that is made
//        anew begins with the time in microseconds, which is more than any table before it has
//        reached unless the clock was set back.
#ifndef HOLDFAST_CORE_LOCKS_LOCK_MANAGER_H
#define HOLDFAST_CORE_LOCKS_LOCK_MANAGER_H

#include <unordered_map>

#include "core/locks/lines.h"
#include "core/waiting/critical_section.h"
#include "core/waiting/waiting.h"

namespace holdfast::core {

// A request as its agent knows it: the cell, and which request of all that were in it.
struct RequestId {
  uint32_t cell = 0;
  uint64_t ticket = 0;
};

struct RequestAnswer {
  RequestStatus status = RequestStatus::busy;
  RequestId id;
  uint64_t token = 0;
  bool abandoned = false;  // the last exclusive holder died
};

// What is asked for.
struct RequestMode {
  bool exclusive = true;
  bool if_available = false;
  bool steal = false;
};

// A request as query() shows it.
struct RequestFacts {
  LockName name;
  AgentId owner = 0;
  bool exclusive = false;
  bool held = false;
  uint64_t order = 0;  // of those that hold, and of those that wait
};

// A call wakes other agents, and not the caller's own. So after every call the caller collects the
// news of its own requests.
class LockManager {
 public:
  LockManager(Agent& agent, Object& object)
      : agent_(agent),
        object_(object),
        body_(*object.body<LockManagerBody>()),
        cells_(object),
        lines_(object, cells_) {}

  RequestAnswer request(const LockName& name, const RequestMode& mode);
  // Ends a request, whether it waits or holds. Its status is what it was until then.
  RequestStatus end(const RequestId& id);
  // What this agent has to be told: of requests that were granted or stolen, each once. False if
  // the critical section could not be had.
  bool collect(std::vector<RequestAnswer>* news);
  // The same of one request; pending if there is nothing to tell.
  RequestAnswer collect_one(const RequestId& id);
  // Each slice, while this agent has requests that wait.
  void look();
  // Looks for a moment (spin.h) whether a request that was pending is no longer.
  bool spin_briefly(const RequestId& id);
  // Blocks until one request is no longer pending, at most until the deadline.
  bool wait(const RequestId& id, int64_t deadline_ns);
  // All requests of the living at one instant, in the order in which they were made. False as
  // collect().
  bool query(std::vector<RequestFacts>* all);
  // Is there anything in the table that can be read? Otherwise nobody ever enters it.
  bool is_plausible() const { return cells_.are_plausible(); }
  // Has this agent a request here that waits or holds?
  bool has_requests();

  LockManagerBody& body() { return body_; }

 private:
  class Section;
  struct ReadNames;
  struct RequestNumbers;

  enum class Burial { none, of_the_dead, of_their_news };

  // ---- all in the critical section

  RequestAnswer request_in_section(const LockName& name, const RequestMode& mode);
  uint32_t make_cell(const LockName& name);
  bool is_known_to_be_full();
  bool has_room() const { return body_.requests < cells_.shape().requests; }
  RequestAnswer tell(uint32_t index);

  bool alive(AgentId id);
  bool is_mine(const RequestId& id);
  bool is_settled(const RequestId& id);
  RequestStatus status_of(uint32_t index);
  bool has_abandoned(uint32_t leader);
  bool has_dead_holder(uint32_t leader);
  bool is_grantable(uint32_t leader, bool exclusive);

  // These return the leader of those that are left in the line.
  uint32_t serve(uint32_t leader);
  uint32_t grant(uint32_t leader, uint32_t index);
  uint32_t tend(uint32_t leader);
  uint32_t bury_holder(uint32_t leader, uint32_t index);
  uint32_t end_request(uint32_t leader, uint32_t index);
  uint32_t drop_abandoned(uint32_t leader);
  uint32_t evict_holders(uint32_t leader);

  void end_stolen(uint32_t index);
  void begin_hold(RequestCell& request, AgentId owner, bool after_death);
  void forget_exclusive();
  void watch(uint32_t leader);

  void rebuild();
  void link(uint32_t index);
  void bury(uint32_t index);
  void bury_all(Burial burial);

  // Of query(). Returns where to go on.
  uint32_t read_names(uint32_t first, ReadNames* read);
  void read_numbers(std::vector<RequestNumbers>* numbers, ReadNames* read);

  // ---- after the critical section

  void wake_granted();

  Agent& agent_;
  Object& object_;
  LockManagerBody& body_;
  Cells cells_;
  Lines lines_;
  Spin spin_;
  std::unordered_map<AgentId, bool> alive_;  // what the registry said in this critical section
  AgentId last_alive_ = 0;                   // the last of them that is alive
  std::vector<AgentId> granted_;             // to be woken after it
  int64_t full_until_ns_ = 0;                // the table was looked through a slice ago or less
  std::vector<AgentId> full_of_;             // whose requests it was full of
};

}  // namespace holdfast::core

#endif
