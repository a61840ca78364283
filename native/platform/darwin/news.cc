// News by kqueue(2). One queue for each doorbell watches its FIFO (EVFILT_READ) and the processes
// of the agents that its own waits for (EVFILT_PROC). An event loop polls the queue's descriptor.
//
// poll(2) would not do. Nothing is registered for a descriptor of which no event is asked, and the
// end of a FIFO's reader is none (xnu sys_generic.c, fifo_vnops.c). And libuv, which uses kqueue
// itself, asks for no more than reading, writing and priority, and since 1.49 refuses named FIFOs.
#include "platform/posix/news.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/event.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "platform/platform.h"

namespace holdfast::platform {

namespace {

// In a place that is in use is the pid, or:
constexpr int kDied = -2;  // the process has died, and nobody has taken the news yet

bool change(const Doorbell& doorbell, int ident, int16_t filter, uint16_t flags, uint32_t events) {
  struct kevent asked;
  EV_SET(&asked, static_cast<uintptr_t>(ident), filter, flags, events, 0, nullptr);
  int result;
  do {
    result = kevent(doorbell.queue_fd, &asked, 1, nullptr, 0, nullptr);
  } while (result != 0 && errno == EINTR);
  return result == 0;
}

int place_of(const Doorbell& doorbell, int watch) {
  for (size_t place = 0; place < doorbell.watched; place++) {
    if (doorbell.watches[place] == watch) return static_cast<int>(place);
  }
  return -1;
}

// Agents of one process are watched together: see end_watch.
void mark_died(Doorbell* doorbell, int pid) {
  for (int place; (place = place_of(*doorbell, pid)) >= 0;) doorbell->watches[place] = kDied;
}

void take_events(Doorbell* doorbell, int64_t timeout_ns) {
  // Room for all that can be there: what is waiting in the FIFO must not hide a death.
  struct kevent events[1 + kWatchesMax];
  const timespec timeout{static_cast<time_t>(timeout_ns / 1'000'000'000),
                         static_cast<long>(timeout_ns % 1'000'000'000)};
  const int count =
      kevent(doorbell->queue_fd, nullptr, 0, events, static_cast<int>(1 + kWatchesMax), &timeout);
  for (int i = 0; i < count; i++) {
    if (events[i].filter == EVFILT_PROC) mark_died(doorbell, static_cast<int>(events[i].ident));
  }
}

}  // namespace

OsError begin_news(Doorbell* doorbell) {
  doorbell->queue_fd = kqueue();  // no child of a fork has it
  if (doorbell->queue_fd < 0) return {errno, "kqueue"};
  fcntl(doorbell->queue_fd, F_SETFD, FD_CLOEXEC);
  if (change(*doorbell, doorbell->fd, EVFILT_READ, EV_ADD, 0)) return {};
  const OsError error{errno, "kevent"};
  end_news(doorbell);
  return error;
}

void end_news(Doorbell* doorbell) {
  if (doorbell->queue_fd >= 0) close_descriptor(std::exchange(doorbell->queue_fd, -1));
}

int pollable_of(const Doorbell& doorbell) { return doorbell.queue_fd; }

int wait_doorbell(Doorbell* doorbell, int64_t deadline_ns) {
  const int known = place_of(*doorbell, kDied);
  const int64_t left = deadline_ns - monotonic_ns();
  if (known >= 0 || left <= 0) return known;
  take_events(doorbell, left);
  return place_of(*doorbell, kDied);
}

void wait_for_news(const Doorbell& doorbell, int64_t deadline_ns) {
  pollfd queue{doorbell.queue_fd, POLLIN, 0};
  poll(&queue, 1, poll_timeout_ms(deadline_ns));
}

Reader watch_death(Doorbell* doorbell, size_t place, const Watched& who) {
  const int pid = static_cast<int>(who.pid);
  const bool added = change(*doorbell, pid, EVFILT_PROC, EV_ADD, NOTE_EXIT);
  if (!added) return errno == ESRCH ? Reader::absent : Reader::unknown;
  doorbell->watches[place] = pid;
  if (doorbell->watched <= place) doorbell->watched = place + 1;
  // It may have died before, and the pid may be another's by now.
  int writer_fd = -1;
  const Reader reader = open_doorbell(who.directory_fd, who.name, &writer_fd);
  if (writer_fd >= 0) close_descriptor(writer_fd);
  if (reader != Reader::present) end_watch(doorbell, place);
  return reader;
}

void end_watch(Doorbell* doorbell, size_t place) {
  const int pid = std::exchange(doorbell->watches[place], Doorbell::kFree);
  // The queue watches a process once, for all agents in it.
  if (pid >= 0 && place_of(*doorbell, pid) < 0) change(*doorbell, pid, EVFILT_PROC, EV_DELETE, 0);
}

int take_death(Doorbell* doorbell) {
  if (place_of(*doorbell, kDied) < 0) take_events(doorbell, 0);
  return place_of(*doorbell, kDied);
}

int pollable_of(const Doorbell&, size_t) { return -1; }

}  // namespace holdfast::platform
