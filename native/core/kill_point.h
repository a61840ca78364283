// Instants at which a process may die and that are worth a name: after each write to shared memory.
//
// KILL_POINT("lock.claim.owner") is nothing in a build for users. With HOLDFAST_KILL_POINTS (the
// build that `npm run sweep` makes) each of them enters itself into a section of the program, where
// the sweep finds it, lights its fuse and lets an operation run into it. The name is
// file.function.what-is-done; no two are the same. It may stand in any function that is neither a
// template nor inline.
#ifndef HOLDFAST_CORE_KILL_POINT_H
#define HOLDFAST_CORE_KILL_POINT_H

#ifdef HOLDFAST_KILL_POINTS

#include <signal.h>

#include <cstdint>

namespace holdfast::core {

// fuse: 0 = never; n = the process dies as it comes by for the n-th time.
struct alignas(16) KillPoint {
  const char* name;
  volatile uint64_t fuse;
};

inline void pass(KillPoint& point) {
  const uint64_t fuse = point.fuse;
  if (fuse == 0) return;
  point.fuse = fuse - 1;
  if (fuse == 1) raise(SIGKILL);
}

}  // namespace holdfast::core

#define KILL_POINT(text)                                                                  \
  do {                                                                                    \
    __attribute__((section("holdfast_kill_points"),                                       \
                   used)) static ::holdfast::core::KillPoint kill_point_here = {text, 0}; \
    ::holdfast::core::pass(kill_point_here);                                              \
  } while (false)

#else

#define KILL_POINT(text) static_cast<void>(0)

#endif

#endif
