// kqueue(2) over epoll(7) and pidfds. A queue is an epoll descriptor, so poll(2) and an event loop
// can watch it, as they can watch a queue on macOS.
#include <poll.h>
#include <sys/epoll.h>
#include <sys/event.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>

#include "stand_in.h"

extern "C" int __real_close(int fd);

namespace holdfast::test::darwin {

namespace {

// No lock: a child that was forked while another thread had it would hang in close().
struct Watch {
  std::atomic<int> queue{0};  // descriptor + 1; 0: free
  std::atomic<int> pid{0};
  std::atomic<int> pidfd{-1};
};
constexpr size_t kWatches = 4096;
Watch watches[kWatches];
constexpr uint64_t kProcess = uint64_t{1} << 32;  // in epoll's data, beside the pid

Watch* find(int queue, int pid) {
  for (Watch& watch : watches) {
    if (watch.queue == queue + 1 && watch.pid == pid) return &watch;
  }
  return nullptr;
}

void end(Watch& watch) {
  const int pidfd = watch.pidfd.exchange(-1);
  watch.pid = 0;
  watch.queue = 0;
  if (pidfd >= 0) __real_close(pidfd);  // which takes it out of the epoll as well
}

bool has_ended(int pidfd) {
  pollfd asked{pidfd, POLLIN, 0};
  return poll(&asked, 1, 0) > 0;
}

int fail(int errnum) {
  errno = errnum;
  return -1;
}

int watch_process(int queue, int pid) {
  if (find(queue, pid) != nullptr) return 0;
  const int pidfd = static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
  if (pidfd < 0) return -1;
  if (has_ended(pidfd)) {  // a zombie is no process (kern_event.c, filt_procattach)
    __real_close(pidfd);
    return fail(ESRCH);
  }
  for (Watch& watch : watches) {
    int free = 0;
    if (!watch.queue.compare_exchange_strong(free, queue + 1)) continue;
    watch.pid = pid;
    watch.pidfd = pidfd;
    epoll_event asked{};
    asked.events = EPOLLIN;
    asked.data.u64 = kProcess | static_cast<uint64_t>(pid);
    if (epoll_ctl(queue, EPOLL_CTL_ADD, pidfd, &asked) == 0) return 0;
    const int errnum = errno;
    end(watch);
    return fail(errnum);
  }
  __real_close(pidfd);
  return fail(ENOMEM);
}

int apply(int queue, const struct kevent& change) {
  const int ident = static_cast<int>(change.ident);
  if (change.filter == EVFILT_PROC) {
    if ((change.flags & EV_DELETE) == 0) return watch_process(queue, ident);
    Watch* watch = find(queue, ident);
    if (watch == nullptr) return fail(ENOENT);
    end(*watch);
    return 0;
  }
  if (change.filter != EVFILT_READ) return fail(EINVAL);
  epoll_event asked{};
  asked.events = EPOLLIN;
  asked.data.u64 = static_cast<uint64_t>(ident);
  const int operation = (change.flags & EV_DELETE) != 0 ? EPOLL_CTL_DEL : EPOLL_CTL_ADD;
  return epoll_ctl(queue, operation, ident, &asked);
}

}  // namespace

void forget_queue(int fd) {
  for (Watch& watch : watches) {
    if (watch.queue == fd + 1) end(watch);
  }
}

}  // namespace holdfast::test::darwin

using namespace holdfast::test::darwin;

int kqueue() { return epoll_create1(0); }

int kevent(int queue, const struct kevent* changes, int change_count, struct kevent* events,
           int event_count, const timespec* timeout) {
  for (int i = 0; i < change_count; i++) {
    if (apply(queue, changes[i]) != 0) return -1;
  }
  if (event_count == 0) return 0;
  int timeout_ms = -1;
  if (timeout != nullptr) {
    constexpr int64_t kLongest_ms = 1'000'000'000;
    const int64_t ms = timeout->tv_sec * 1000 + (timeout->tv_nsec + 999'999) / 1'000'000;
    timeout_ms = static_cast<int>(ms < kLongest_ms ? ms : kLongest_ms);
  }
  constexpr int kAtOnce = 128;
  epoll_event ready[kAtOnce];
  const int wanted = event_count < kAtOnce ? event_count : kAtOnce;
  const int count = epoll_wait(queue, ready, wanted, timeout_ms);
  int told = 0;
  for (int i = 0; i < count; i++) {
    const int ident = static_cast<int>(ready[i].data.u64 & 0xffffffff);
    if ((ready[i].data.u64 & kProcess) == 0) {
      events[told++] = {static_cast<uintptr_t>(ident), EVFILT_READ, 0, 0, 1, nullptr};
    } else if (Watch* watch = find(queue, ident)) {
      end(*watch);
      const uint16_t flags = EV_EOF | EV_ONESHOT;
      events[told++] = {static_cast<uintptr_t>(ident), EVFILT_PROC, flags, NOTE_EXIT, 0, nullptr};
    }
  }
  return count < 0 ? -1 : told;
}

extern "C" int __wrap_close(int fd) {
  forget_queue(fd);
  forget_file(fd);
  return __real_close(fd);
}
