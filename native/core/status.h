// What a core operation came to. The addon turns every code but `ok` into one class of
// src/errors.ts.
#ifndef HOLDFAST_CORE_STATUS_H
#define HOLDFAST_CORE_STATUS_H

#include <cstdint>
#include <string>

#include "core/agreed.h"
#include "platform/platform.h"

namespace holdfast::core {

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
