// Where a doorbell gets its news from: of wake-ups and of deaths. Inside platform/ alone.
#ifndef HOLDFAST_PLATFORM_POSIX_NEWS_H
#define HOLDFAST_PLATFORM_POSIX_NEWS_H

#include "platform/platform.h"

namespace holdfast::platform {

// For poll(2): rounded up, or the last fraction of a millisecond would be spent spinning.
inline int poll_timeout_ms(int64_t deadline_ns) {
  const int64_t left_ns = deadline_ns - monotonic_ns();
  const int64_t left_ms = left_ns <= 0 ? 0 : (left_ns - 1) / kNanosPerMilli + 1;
  return left_ms < INT32_MAX ? static_cast<int>(left_ms) : INT32_MAX;
}

// Of a doorbell whose FIFO is open.
OsError begin_news(Doorbell* doorbell);
void end_news(Doorbell* doorbell);

}  // namespace holdfast::platform

#endif
