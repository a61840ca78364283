// The doorbells of other agents.
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>

#include "platform/platform.h"

namespace holdfast::platform {

Reader open_doorbell(int directory_fd, const char* name, int* writer_fd) {
  *writer_fd = openat(directory_fd, name, O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW);
  if (*writer_fd >= 0) return Reader::present;
  if (is_out_of_descriptors(errno)) return Reader::no_descriptor;
  return errno == ENXIO ? Reader::absent : Reader::unknown;
}

// A tenth of the price of opening it.
Reader reader_of(int writer_fd, int, const char*) {
  // Nobody asks for an event; the end of the last reader is reported all the same (Linux POLLERR,
  // elsewhere POLLHUP too).
  pollfd waker{writer_fd, 0, 0};
  const bool ended = poll(&waker, 1, 0) > 0 && (waker.revents & (POLLERR | POLLHUP)) != 0;
  return ended ? Reader::absent : Reader::present;
}

}  // namespace holdfast::platform
