// What an agent tells of its long waits, for those who look for deadlocks: a text in the file
// `waits.<agent id>`. src/deadlocks/ writes the text and reads it; here it is bytes.
//
// The agent writes its file in place, at any time. Everybody reads it at any time. The digest at
// its head tells a whole text from one that is half written. The version is higher each time that
// the agent has looked at all of its waits anew.
//
// | the file      | what it is
// | none          | the agent has had no long wait yet
// | digest right  | what the agent told when it last wrote; nothing if the text is empty
// | digest wrong  | it is being written, or its writer died in the middle: it tells nothing
#ifndef HOLDFAST_CORE_REGISTRY_WAIT_RECORD_H
#define HOLDFAST_CORE_REGISTRY_WAIT_RECORD_H

#include <string>

#include "core/layout.h"

namespace holdfast::core {

constexpr const char* kWaitRecordPrefix = "waits.";

struct WaitRecord {
  AgentId agent = 0;
  uint64_t version = 0;
  std::string text;
};

// False if not all of it could be written. Then the file tells nothing.
bool write_wait_record(int fd, uint64_t version, const std::string& text);
// False if it tells nothing.
bool read_wait_record(int fd, WaitRecord* record);

}  // namespace holdfast::core

#endif
