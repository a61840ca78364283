// The doorbells of other agents.
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "platform/platform.h"

namespace holdfast::platform {

Reader open_doorbell(int directory_fd, const char* name, int* writer_fd) {
  *writer_fd = openat(directory_fd, name, O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW);
  if (*writer_fd >= 0) {
    // SIGPIPE is sent to the process, so that a thread cannot keep it off by its mask.
    fcntl(*writer_fd, F_SETNOSIGPIPE, 1);
    return Reader::present;
  }
  if (is_out_of_descriptors(errno)) return Reader::no_descriptor;
  return errno == ENXIO ? Reader::absent : Reader::unknown;
}

// The open end does not tell: poll(2) reports nothing of a reader that has gone. Only open(2) does.
Reader reader_of(int, int directory_fd, const char* name) {
  int anew = -1;
  const Reader reader = open_doorbell(directory_fd, name, &anew);
  if (anew >= 0) close(anew);
  return reader;
}

}  // namespace holdfast::platform
