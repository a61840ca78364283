// Of macOS' <sys/event.h>, what holdfast asks of a kqueue.
#ifndef HOLDFAST_TEST_DARWIN_EVENT_H
#define HOLDFAST_TEST_DARWIN_EVENT_H
#pragma GCC system_header  // a struct and a function of one name are a warning elsewhere
#include <stdint.h>
#include <time.h>

#define EVFILT_READ (-1)
#define EVFILT_PROC (-5)
#define EV_ADD 0x0001
#define EV_DELETE 0x0002
#define EV_ONESHOT 0x0010
#define EV_EOF 0x8000
#define NOTE_EXIT 0x80000000u

struct kevent {
  uintptr_t ident;
  int16_t filter;
  uint16_t flags;
  uint32_t fflags;
  intptr_t data;
  void* udata;
};

#define EV_SET(event, ident, filter, flags, fflags, data, udata) \
  (*(event) = {ident, filter, flags, fflags, data, udata})

#ifdef __cplusplus
extern "C" {
#endif
int kqueue(void);
int kevent(int queue, const struct kevent* changes, int change_count, struct kevent* events,
           int event_count, const struct timespec* timeout);
#ifdef __cplusplus
}
#endif
#endif
