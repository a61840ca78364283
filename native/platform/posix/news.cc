// News by poll(2): the doorbell itself tells of wake-ups. The writing end of a doorbell tells of
// the death of its reader, even though nobody asks for an event there (Linux POLLERR, elsewhere
// POLLHUP too).
#include "platform/posix/news.h"

#include <poll.h>

#include <utility>

#include "platform/platform.h"

namespace holdfast::platform {

namespace {

int poll_watches(const Doorbell& doorbell, short doorbell_events, int timeout_ms) {
  pollfd polled[1 + kWatchesMax];
  polled[0] = {doorbell.fd, doorbell_events, 0};
  for (size_t i = 0; i < doorbell.watched; i++) polled[1 + i] = {doorbell.watches[i], 0, 0};
  if (poll(polled, static_cast<nfds_t>(1 + doorbell.watched), timeout_ms) <= 0) return -1;
  for (size_t i = 0; i < doorbell.watched; i++) {
    if ((polled[1 + i].revents & (POLLERR | POLLHUP)) != 0) return static_cast<int>(i);
  }
  return -1;
}

}  // namespace

OsError begin_news(Doorbell*) { return {}; }
void end_news(Doorbell*) {}

int pollable_of(const Doorbell& doorbell) { return doorbell.fd; }

int wait_doorbell(Doorbell* doorbell, int64_t deadline_ns) {
  const int timeout_ms = poll_timeout_ms(deadline_ns);
  return timeout_ms > 0 ? poll_watches(*doorbell, POLLIN, timeout_ms) : -1;
}

void wait_for_news(const Doorbell& doorbell, int64_t deadline_ns) {
  poll_watches(doorbell, POLLIN, poll_timeout_ms(deadline_ns));
}

Reader watch_death(Doorbell* doorbell, size_t place, const Watched& who) {
  const Reader reader = open_doorbell(who.directory_fd, who.name, &doorbell->watches[place]);
  if (reader == Reader::present && doorbell->watched <= place) doorbell->watched = place + 1;
  return reader;
}

void end_watch(Doorbell* doorbell, size_t place) {
  const int fd = std::exchange(doorbell->watches[place], Doorbell::kFree);
  if (fd != Doorbell::kFree) close_descriptor(fd);
}

int take_death(Doorbell* doorbell) { return poll_watches(*doorbell, 0, 0); }

int pollable_of(const Doorbell& doorbell, size_t place) { return doorbell.watches[place]; }

}  // namespace holdfast::platform
