// The agents of one user: who they are, whether they are alive, and how to wake them.
//
// An agent is one JS thread. Its id is a serial number that is never used twice, with its slot in
// the low bits. It is alive as long as its slot carries the id and its doorbell (a FIFO) has a
// reader. The kernel closes the reading end the moment the process is gone.
//
// INV-7 An id is in its slot only while its doorbell is open, so an agent that starts never looks
// dead. Slots and doorbells change hands only under the directory's lock.
#ifndef HOLDFAST_CORE_REGISTRY_REGISTRY_H
#define HOLDFAST_CORE_REGISTRY_REGISTRY_H

#include <mutex>
#include <string>
#include <vector>

#include "core/layout.h"
#include "core/status.h"

namespace holdfast::core {

struct AgentFacts {
  uint32_t pid = 0;
  uint32_t thread_id = 0;
  std::string process_name;
};

constexpr const char* kDoorbellPrefix = "bell.";

// The name of a file that an agent has for itself. By the whole id: in a directory that was
// emptied, another registry gives the same slots away, and a doorbell must not answer for an agent
// that is not its own.
struct AgentFileName {
  char text[24] = {};
  AgentFileName(const char* prefix, AgentId id);
};

class Registry {
 public:
  Registry() = default;
  ~Registry();
  Registry(const Registry&) = delete;
  Registry& operator=(const Registry&) = delete;

  void attach(RegistryBody* body, std::string directory, int directory_fd);

  // ---- under the directory's lock

  // A number that nothing in this directory had before: 1..2^51-1.
  uint64_t next_serial();
  // `*lone_number` is false if an agent of another pid namespace lives that the kernel knows by the
  // same thread number.
  Status claim(uint32_t thread_id, const std::string& process_name, AgentId* id,
               platform::Doorbell* doorbell, bool* lone_number);
  void vacate(AgentId id);  // of an agent that is dead
  bool vacate_dead();       // true if there were any
  // Is this the name of a file of an agent that is not in its slot?
  bool is_of_ended_agent(const std::string& file_name);

  // ---- at any time

  // The number that next_serial() gave away last.
  uint64_t newest() const { return body_->next_generation.load(); }
  bool alive(AgentId id);
  // The id in a slot, of which some bits are known, among them the slot. 0 if there is none.
  AgentId find(uint64_t bits, uint64_t mask) {
    const AgentId id = slot_of(bits).id.load();
    return (id & mask) == bits ? id : 0;
  }
  // From here on the doorbell tells, in that place, when the agent dies. False if it is dead, or if
  // no descriptor is left.
  bool watch(AgentId id, platform::Doorbell* doorbell, size_t place);
  // False only if the agent is known to be dead. True does not promise that it reads its doorbell.
  bool wake(AgentId id, uint64_t tag);
  bool describe(AgentId id, AgentFacts* facts);
  // Those in the slots now, dead or alive.
  std::vector<AgentId> agents();
  // Closes what is open to wake agents with. False if there was nothing.
  bool close_writers();
  // The same of those agents alone that are dead.
  void close_dead_writers();

 private:
  bool is_lone(const platform::Identity& me);
  Slot& slot_of(AgentId id) { return body_->slots[id & (kSlotCount - 1)]; }

  // Opening a FIFO costs several times as much as writing to it or asking it, so the last open
  // doorbells stay open. One is never mistaken for another agent's: every agent makes a FIFO of its
  // own.
  struct OpenDoorbell {
    AgentId id = 0;
    int fd = -1;
  };
  static constexpr size_t kDoorbellsMax = 64;
  // All under doorbells_mutex_.
  int writer_of(AgentId id, platform::Reader* reader);
  platform::Reader open_writer(AgentId id, int* fd);
  platform::Reader reader_of(const OpenDoorbell& writer);
  void forget_writer(OpenDoorbell& writer);
  OpenDoorbell& place_of(AgentId id) { return doorbells_[id % kDoorbellsMax]; }

  RegistryBody* body_ = nullptr;
  std::string directory_;
  int directory_fd_ = -1;
  std::mutex doorbells_mutex_;
  OpenDoorbell doorbells_[kDoorbellsMax];
};

}  // namespace holdfast::core

#endif
