/*
 * The floors of `scale`: what sem_post costs with so many processes in sem_wait, or, with the
 * argument `pipe`, what a write costs to a pipe whose one reader sleeps. waiters.mjs says how.
 */

#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../posix.h"

enum { RELEASES = 30, WARM_UP = 10, MOST = 1000 };
enum { PAUSE_NS = 1000000, ASIDE_NS = 10000000, SETTLE_NS = 100000000 };

static sem_t* sem;

static void take(void) {
  while (sem_wait(sem) != 0 && errno == EINTR) {
  }
}

static void pause_ns(long ns) { nanosleep(&(struct timespec){.tv_nsec = ns}, NULL); }

static void queue_up(void) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  for (;;) {
    take();
    sem_post(sem);
    pause_ns(ASIDE_NS);
  }
}

static void releases(int n, const char* format) {
  for (int i = 0; i < n; i++) {
    int64_t start = now_ns();
    sem_post(sem);
    int64_t end = now_ns();
    int back = sem_trywait(sem) == 0;
    if (!back) take();
    if (format) printf(format, i ? "," : "", (long long)(end - start));
    pause_ns(back ? PAUSE_NS : ASIDE_NS + PAUSE_NS);
  }
}

static void writes(int end, int n, const char* format) {
  int64_t tag = 1;
  for (int i = 0; i < n; i++) {
    int64_t start = now_ns();
    if (write(end, &tag, sizeof tag) != sizeof tag) exit(1);
    if (format) printf(format, i ? "," : "", (long long)(now_ns() - start));
    pause_ns(PAUSE_NS);
  }
}

static int write_to_reader(void) {
  int ends[2];
  if (pipe(ends) != 0) return 1;
  pid_t reader = fork();
  if (reader < 0) return 1;
  if (reader == 0) {
    int64_t tag;
    close(ends[1]);
    while (read(ends[0], &tag, sizeof tag) == sizeof tag) {
    }
    _exit(0);
  }
  pause_ns(SETTLE_NS);
  writes(ends[1], WARM_UP, NULL);
  printf("{\"waiters-1\":[");
  writes(ends[1], RELEASES, "%s%lld");
  printf("]}\n");
  close(ends[1]);
  return waitpid(reader, NULL, 0) == reader ? 0 : 1;
}

int main(int argc, char** argv) {
  if (argc > 1 && strcmp(argv[1], "pipe") == 0) return write_to_reader();
  static const int steps[] = {1, 10, 100, 1000};
  pid_t peers[MOST];
  int started = 0;
  sem = mmap(NULL, sizeof *sem, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (sem == MAP_FAILED || sem_init(sem, 1, 0) != 0) return 1;
  for (size_t step = 0; step < sizeof steps / sizeof *steps; step++) {
    while (started < steps[step]) {
      /* Nothing may be buffered twice. */
      fflush(stdout);
      pid_t peer = fork();
      if (peer == 0) queue_up();
      if (peer < 0) {
        perror("fork");
        break;
      }
      peers[started++] = peer;
    }
    if (started < steps[step]) break;
    pause_ns(SETTLE_NS);
    releases(WARM_UP, NULL);
    printf("%s\"waiters-%d\":[", step ? "," : "{", steps[step]);
    releases(RELEASES, "%s%lld");
    printf("]");
  }
  printf("}\n");
  for (int i = 0; i < started; i++) kill(peers[i], SIGKILL);
  while (wait(NULL) > 0) {
  }
  return 0;
}
