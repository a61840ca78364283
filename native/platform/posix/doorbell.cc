#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "platform/platform.h"
#include "platform/posix/news.h"

namespace holdfast::platform {

OsError create_doorbell(const char* directory, int directory_fd, const char* name,
                        Doorbell* doorbell) {
  // By path, because macOS has had mkfifoat only since 13. The directory is ours alone (0700).
  const std::string path = std::string(directory) + "/" + name;
  if (mkfifo(path.c_str(), 0600) != 0) return {errno, "mkfifo"};
  chmod(path.c_str(), 0600);  // whatever the umask has taken from it
  OsError error;
  doorbell->fd = openat(directory_fd, name, O_RDWR | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW);
  if (doorbell->fd < 0) {
    error = {errno, "open"};
  } else {
    keep_from_forks(doorbell->fd);
    error = begin_news(doorbell);
  }
  if (error) {
    unlinkat(directory_fd, name, 0);
    close_doorbell(doorbell);
  }
  return error;
}

void close_doorbell(Doorbell* doorbell) {
  for (size_t place = 0; place < doorbell->watched; place++) end_watch(doorbell, place);
  end_news(doorbell);
  if (doorbell->fd >= 0) close_descriptor(std::exchange(doorbell->fd, -1));
}

size_t read_doorbell(const Doorbell& doorbell, uint64_t* tags, size_t capacity) {
  const ssize_t got = read(doorbell.fd, tags, capacity * sizeof *tags);
  return got > 0 ? static_cast<size_t>(got) / sizeof *tags : 0;
}

}  // namespace holdfast::platform
