// A wake-up of another agent.
#include <cerrno>

#include "platform/platform.h"
#include "quiet_write.h"

namespace holdfast::platform {

WakeResult write_doorbell(int writer_fd, uint64_t tag) {
  // Eight bytes are far below PIPE_BUF, so a wake-up is written whole or not at all.
  const int errnum = write_quietly(writer_fd, &tag, sizeof tag);
  if (errnum == 0) return WakeResult::woken;
  // EAGAIN says that there is no room. So does ENOBUFS on macOS, where a FIFO is a pair of sockets
  // (uipc_socket.c).
  return errnum == EPIPE ? WakeResult::no_reader : WakeResult::full;
}

}  // namespace holdfast::platform
