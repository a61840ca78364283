// What the C programs have in common. Each uses some of it.
#ifndef HOLDFAST_BENCH_POSIX_H
#define HOLDFAST_BENCH_POSIX_H

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static inline void die(const char* what) {
  perror(what);
  exit(1);
}

static inline int64_t now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static inline void wait_sem(sem_t* sem) {
  while (sem_wait(sem) != 0) {
    if (errno != EINTR) die("sem_wait");
  }
}

// As report() in lock/timed.mjs, for programs that need no warm-up: body(n) runs n pairs.
static inline int64_t timed_pairs(void (*body)(long), long n) {
  const int64_t start = now_ns();
  body(n);
  return now_ns() - start;
}

static inline void report_pairs(void (*body)(long)) {
  enum { BATCH_MIN_NS = 20000000, BATCHES = 5 };
  long n = 1;
  while (timed_pairs(body, n) < BATCH_MIN_NS) n *= 2;
  printf("{\"pair\":[");
  for (int batch = 0; batch < BATCHES; batch++) {
    printf("%s%.3f", batch ? "," : "", (double)timed_pairs(body, n) / n);
  }
  printf("]}\n");
}

// As an RLock wants it: robust and recursive, between processes.
static inline void init_mutex(pthread_mutex_t* mutex) {
  pthread_mutexattr_t attributes;
  pthread_mutexattr_init(&attributes);
  pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
  pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_RECURSIVE);
  pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
  if ((errno = pthread_mutex_init(mutex, &attributes)) != 0) die("pthread_mutex_init");
}

#endif
