// The kernel tells of some failed system calls twice: by errno, and by a signal that kills unless
// somebody ignores it. Node ignores SIGPIPE and SIGXFSZ from its start on, and no longer once a
// listener of the program has come and gone. So no call of ours may rely on that.
#ifndef HOLDFAST_PLATFORM_SIGNALS_H
#define HOLDFAST_PLATFORM_SIGNALS_H

#include <pthread.h>
#include <signal.h>
#include <time.h>

namespace holdfast::platform {

inline bool is_pending(int signal) {
  sigset_t pending;
  return sigpending(&pending) == 0 && sigismember(&pending, signal) == 1;
}

// Takes away a signal that is blocked in this thread, if one is pending.
inline void take_back(int signal) {
  sigset_t only;
  sigemptyset(&only);
  sigaddset(&only, signal);
  const timespec at_once{0, 0};
  sigtimedwait(&only, nullptr, &at_once);
}

// Does `work` without the signal that the kernel sends to this thread when it fails. `work` returns
// an error number or 0; so does this.
template <class Work>
int without_signal(int signal, Work work) {
  sigset_t only, before;
  sigemptyset(&only);
  sigaddset(&only, signal);
  pthread_sigmask(SIG_BLOCK, &only, &before);
  const bool was_blocked = sigismember(&before, signal) == 1;
  // The program may block the signal itself. One that waits for it already is not ours to take.
  const bool was_pending = was_blocked && is_pending(signal);
  const int errnum = work();
  if (errnum != 0 && !was_pending) take_back(signal);
  if (!was_blocked) pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return errnum;
}

}  // namespace holdfast::platform

#endif
