#include "quiet_write.h"

#include "masked_write.h"

namespace holdfast::platform {

int write_quietly(int fd, const void* bytes, size_t length) {
  return write_masked(fd, bytes, length);
}

}  // namespace holdfast::platform
