// What macOS does not have. A program that calls it cannot even be loaded there; here it ends.
#include <cstdio>
#include <cstdlib>

#include "stand_in.h"

#define ABSENT(name)                                       \
  extern "C" int __wrap_##name() {                         \
    fputs("stand-in: macOS has no " #name "()\n", stderr); \
    abort();                                               \
  }

ABSENT(posix_fallocate)
ABSENT(posix_fallocate64)
ABSENT(sem_getvalue)
ABSENT(sem_timedwait)
ABSENT(sem_clockwait)
ABSENT(pthread_mutex_timedlock)
ABSENT(pthread_mutex_clocklock)
ABSENT(pthread_mutexattr_setrobust)
ABSENT(pthread_mutex_consistent)
