#include "core/status.h"

#include <cerrno>

namespace holdfast::core {

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
  return {code, error.errnum, error.call, std::move(detail)};
}

}  // namespace holdfast::core
