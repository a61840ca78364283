#include "core/status.h"

#include <cerrno>

namespace holdfast::core {

namespace {

// What a person should do where a limit is reached; nullptr if it is something else.
const char* remedy_for_limit(int errnum) {
  switch (errnum) {
    case EMFILE:
      return "this process has too many files open: close some, or raise the limit (ulimit -n)";
    case ENFILE:
      return "this system has too many files open: end some programs, or raise its limit";
    case EFBIG:
      return "this process may make no file that large: raise the limit (ulimit -f)";
    case ENOMEM:
      return "memory or room for mappings is short: raise the limit of this process (ulimit -v), "
             "of its container, or of mappings (vm.max_map_count)";
    default:
      return nullptr;
  }
}

}  // namespace

Status Status::from(platform::OsError error, std::string detail) {
  Code code = Code::system;
  switch (error.errnum) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG:  // RLIMIT_FSIZE
    case ENOMEM:
    case EMFILE:
    case ENFILE:
      code = Code::no_space;
      break;
    case EACCES:
    case EPERM:
    case EROFS:
      code = Code::permission;
      break;
    default:
      break;
  }
  if (const char* const remedy = remedy_for_limit(error.errnum)) detail.append(": ").append(remedy);
  return {code, error.errnum, error.call, std::move(detail)};
}

}  // namespace holdfast::core
