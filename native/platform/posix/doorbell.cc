#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "platform/platform.h"
#include "signals.h"

namespace holdfast::platform {

OsError create_doorbell(const char* directory, int directory_fd, const char* name, int* fd) {
  // By path, because macOS has had mkfifoat only since 13. The directory is ours alone (0700).
  const std::string path = std::string(directory) + "/" + name;
  if (mkfifo(path.c_str(), 0600) != 0) return {errno, "mkfifo"};
  chmod(path.c_str(), 0600);  // whatever the umask has taken from it
  *fd = openat(directory_fd, name, O_RDWR | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW);
  if (*fd < 0) {
    const OsError error{errno, "open"};
    unlinkat(directory_fd, name, 0);
    return error;
  }
  keep_from_forks(*fd);
  return {};
}

Reader open_doorbell(int directory_fd, const char* name, int* fd) {
  *fd = openat(directory_fd, name, O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW);
  if (*fd >= 0) {
#ifdef F_SETNOSIGPIPE
    // macOS sends SIGPIPE to the process, and another thread would get it.
    fcntl(*fd, F_SETNOSIGPIPE, 1);
#endif
    return Reader::present;
  }
  if (is_out_of_descriptors(errno)) return Reader::no_descriptor;
  return errno == ENXIO ? Reader::absent : Reader::unknown;
}

bool has_reader(int writer_fd) {
  // Nobody asks for an event; the end of the last reader is reported all the same (Linux POLLERR,
  // elsewhere POLLHUP too).
  pollfd waker{writer_fd, 0, 0};
  return poll(&waker, 1, 0) <= 0 || (waker.revents & (POLLERR | POLLHUP)) == 0;
}

WakeResult write_doorbell(int writer_fd, uint64_t tag) {
  // Eight bytes are far below PIPE_BUF, so a wake-up is written whole or not at all.
  const int errnum = without_signal(SIGPIPE, [&] {
    ssize_t written;
    do {
      written = write(writer_fd, &tag, sizeof tag);
    } while (written < 0 && errno == EINTR);
    return written < 0 ? errno : 0;
  });
  if (errnum == 0) return WakeResult::woken;
  return errnum == EAGAIN ? WakeResult::full : WakeResult::no_reader;
}

size_t read_doorbell(int doorbell_fd, uint64_t* tags, size_t capacity) {
  const ssize_t got = read(doorbell_fd, tags, capacity * sizeof *tags);
  return got > 0 ? static_cast<size_t>(got) / sizeof *tags : 0;
}

int wait_doorbell(int doorbell_fd, const int* watched, size_t count, int64_t deadline_ns) {
  const int64_t left = deadline_ns - monotonic_ns();
  if (left <= 0) return -1;
  pollfd polled[1 + kWatchesMax];
  polled[0] = {doorbell_fd, POLLIN, 0};
  for (size_t i = 0; i < count; i++) polled[1 + i] = {watched[i], 0, 0};
  // Rounded up, or the last fraction of a millisecond would be spent spinning.
  const int timeout_ms = static_cast<int>((left + kNanosPerMilli - 1) / kNanosPerMilli);
  if (poll(polled, static_cast<nfds_t>(1 + count), timeout_ms) <= 0) return -1;
  for (size_t i = 0; i < count; i++) {
    if ((polled[1 + i].revents & (POLLERR | POLLHUP)) != 0) return static_cast<int>(i);
  }
  return -1;
}

}  // namespace holdfast::platform
