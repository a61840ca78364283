#include "core/status.h"

#include <cerrno>

namespace holdfast::core {

namespace {

namespace traits = platform::traits;

// What a person should do where a limit is reached; empty if it is something else.
std::string remedy_for_limit(int errnum) {
  switch (errnum) {
    case EMFILE:
      return "this process has too many files open: close some, or raise the limit (" +
             std::string(traits::kOpenFilesLimit) + ")";
    case ENFILE:
      return "this system has too many files open: end some programs, or raise its limit (" +
             std::string(traits::kAllFilesLimit) + ")";
    case EFBIG:
      return "this process may make no file that large: raise the limit (ulimit -f)";
    case ENOMEM:
      return "memory or room for mappings is short: raise the limit " +
             std::string(traits::kMemoryLimit);
    default:
      return "";
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
  if (const std::string remedy = remedy_for_limit(error.errnum); !remedy.empty()) {
    detail.append(": ").append(remedy);
  }
  return {code, error.errnum, error.call, std::move(detail)};
}

}  // namespace holdfast::core
