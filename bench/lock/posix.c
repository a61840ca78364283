/*
 * The floor of `lock`: the same libc calls from C, with no JavaScript around them. With a second
 * argument it runs that many pairs and prints nothing: instructions/count.mjs counts what they
 * cost.
 */

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../posix.h"

static sem_t* sem;
static pthread_mutex_t* mutex;

static void open_sem(void) {
  char name[32];
  snprintf(name, sizeof name, "/hf-bench-%ld", (long)getpid());
  sem = sem_open(name, O_CREAT | O_EXCL, 0600, 1);
  if (sem == SEM_FAILED) die("sem_open");
  sem_unlink(name);
}

static void open_mutex(void) {
  mutex = mmap(NULL, sizeof *mutex, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (mutex == MAP_FAILED) die("mmap");
  init_mutex(mutex);
}

static void sem_pairs(long n) {
  for (long i = 0; i < n; i++) {
    if (sem_trywait(sem) != 0) die("sem_trywait");
    if (sem_post(sem) != 0) die("sem_post");
  }
}

static void mutex_pairs(long n) {
  for (long i = 0; i < n; i++) {
    if (pthread_mutex_lock(mutex) != 0) die("pthread_mutex_lock");
    if (pthread_mutex_unlock(mutex) != 0) die("pthread_mutex_unlock");
  }
}

int main(int argc, char** argv) {
  const char* variant = argc > 1 ? argv[1] : "";
  void (*body)(long) = mutex_pairs;
  if (strcmp(variant, "sem") == 0) {
    open_sem();
    body = sem_pairs;
  } else if (strcmp(variant, "mutex") == 0) {
    open_mutex();
  } else if (strcmp(variant, "mutex-nested") == 0) {
    open_mutex();
    pthread_mutex_lock(mutex);
  } else {
    fprintf(stderr, "variants: sem, mutex, mutex-nested\n");
    return 2;
  }

  if (argc > 2) {
    body(atol(argv[2]));
    return 0;
  }
  report_pairs(body);
  return 0;
}
