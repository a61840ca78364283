// What a core operation came to. The addon turns every code but `ok` into one class of
// src/errors.ts.
#ifndef HOLDFAST_CORE_STATUS_H
#define HOLDFAST_CORE_STATUS_H

#include <cstdint>
#include <string>

#include "platform/platform.h"

namespace holdfast::core {

enum class Code : uint32_t {
  ok = 0,
  closed,
  not_locked,    // release of what nobody holds
  not_owner,     // release by another agent than the holder
  over_release,  // a semaphore would pass its largest value
  deadlock,
  exists,
  not_found,
  incompatible,  // the same name with another kind, limit or layout
  corrupt,       // a file that is not ours, or was ours once
  no_space,      // storage, descriptors or slots have run out
  permission,    // a directory or object that this user must not trust, or may not use
  busy,          // the directory stayed locked by somebody for longer than an open may wait
  ended,         // a put after end(), or a get when all is drained
  system,        // anything else that the operating system refused
};

struct Status {
  Code code = Code::ok;
  int errnum = 0;              // 0 where no system call is to blame
  const char* call = nullptr;  // the system call, if one is
  std::string detail;          // what a person should know; the name is added above

  bool ok() const { return code == Code::ok; }

  static Status success() { return {}; }
  static Status of(Code code, std::string detail) { return {code, 0, nullptr, std::move(detail)}; }
  static Status from(platform::OsError error, std::string detail);
};

}  // namespace holdfast::core

#endif
