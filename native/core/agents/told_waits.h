// What this agent tells others of its long waits, and hears of theirs, to find deadlocks
// (core/registry/wait_record.h). The file is made when there is something to tell for the first
// time, and goes with the agent.
#ifndef HOLDFAST_CORE_AGENTS_TOLD_WAITS_H
#define HOLDFAST_CORE_AGENTS_TOLD_WAITS_H

#include <string>
#include <vector>

#include "core/agents/agent.h"

namespace holdfast::core {

class ToldWaits {
 public:
  explicit ToldWaits(Agent& agent) : agent_(agent) {}
  ~ToldWaits();
  ToldWaits(const ToldWaits&) = delete;
  ToldWaits& operator=(const ToldWaits&) = delete;

  // Takes the place of what it told before, with a higher version. False if it could not be
  // written: try again later.
  bool tell(const std::string& text);
  // Tells less than before, and has looked at nothing anew: the version stays.
  bool take_back(const std::string& text);
  // take_back(), if those texts are unchanged and their agents live. False also if the directory
  // is locked. Of two agents that end a wait in one cycle, one gets false (INV-27).
  bool tell_if_unchanged(const std::vector<WaitRecord>& seen, const std::string& text);
  // What all live agents tell, this one among them.
  std::vector<WaitRecord> hear() { return agent_.store().wait_records(); }

 private:
  Agent& agent_;
  int fd_ = -1;
  uint64_t version_ = 0;
};

}  // namespace holdfast::core

#endif
