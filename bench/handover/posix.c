/*
 * The floor of `handover`: the match of match.mjs in C. "lock" plays the ring of ring.mjs with
 * three semaphores of value 1, "mutex" with three robust recursive mutexes, "semaphore" plays a
 * pair of semaphores of value 0. With "-sliced" they wait at most 50 ms at a time and then look
 * around, which a program must do to survive a crash: the kernel arms a timer for each wait.
 * "bell" is the least that an event loop does for a turn: epoll_wait and read on one
 * side, write on the other. In "mixed" one side waits as in "semaphore-sliced", the other as in
 * "bell". Linux only.
 */

#define _GNU_SOURCE
#include <sched.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../posix.h"

enum { BATCHES = 5, DWELL_NS = 200000, SLICE_NS = 50000000, STAMPS_MAX = 100000 };
enum { SINGLE, ASLEEP, PARTS };

/* Everything both processes see. */
static struct {
  sem_t ready;
  sem_t sems[3];
  pthread_mutex_t mutexes[3];
  int64_t passed[PARTS][2][STAMPS_MAX];
  int64_t got[PARTS][2][STAMPS_MAX];
} * shared;

static int side, mine, wanted;

static void dwell(int part) {
  if (part == SINGLE) return;
  int64_t end = now_ns() + DWELL_NS;
  while (now_ns() < end) {
  }
}

static void take_sem(int i) { wait_sem(&shared->sems[i]); }
static void give_sem(int i) { sem_post(&shared->sems[i]); }
static struct timespec end_of_slice(void) {
  int64_t end = now_ns() + SLICE_NS;
  return (struct timespec){.tv_sec = end / 1000000000, .tv_nsec = end % 1000000000};
}

static void take_sem_sliced(int i) {
  struct timespec end = end_of_slice();
  while (sem_clockwait(&shared->sems[i], CLOCK_MONOTONIC, &end) != 0) {
    if (errno != EINTR && errno != ETIMEDOUT) die("sem_clockwait");
    end = end_of_slice();
  }
}
static void take_mutex_sliced(int i) {
  struct timespec end = end_of_slice();
  while ((errno = pthread_mutex_clocklock(&shared->mutexes[i], CLOCK_MONOTONIC, &end)) != 0) {
    if (errno != ETIMEDOUT) die("pthread_mutex_clocklock");
    end = end_of_slice();
  }
}

static void take_mutex(int i) {
  if ((errno = pthread_mutex_lock(&shared->mutexes[i])) != 0) die("pthread_mutex_lock");
}
static void give_mutex(int i) {
  if ((errno = pthread_mutex_unlock(&shared->mutexes[i])) != 0) die("pthread_mutex_unlock");
}

static void (*take)(int);
static void (*give)(int);
static void (*turn)(void);
static void (*pass)(void);

static void ring_start(void) {
  mine = side == 0 ? 0 : 2;
  wanted = side == 0 ? 1 : 0;
  take(mine);
  if (side == 0) take(wanted);
}
static void ring_turn(void) { take(wanted); }
static void ring_pass(void) {
  give(mine);
  int third = 3 - mine - wanted;
  mine = wanted;
  wanted = third;
}

static void pair_start(void) {}
static void pair_turn(void) { take(side); }
static void pair_pass(void) { give_sem(1 - side); }

static int bells[2][2]; /* by side: the end it reads, the end the other writes */
static int epoll = -1;

static void bell_start(void) {
  struct epoll_event event = {.events = EPOLLIN};
  epoll = epoll_create1(0);
  if (epoll < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, bells[side][0], &event) != 0) die("epoll");
}
static void bell_turn(void) {
  struct epoll_event event;
  uint64_t tag;
  while (epoll_wait(epoll, &event, 1, -1) < 1) {
    if (errno != EINTR) die("epoll_wait");
  }
  if (read(bells[side][0], &tag, sizeof tag) != sizeof tag) die("read");
}
static void bell_pass(void) {
  uint64_t tag = 1;
  if (write(bells[1 - side][1], &tag, sizeof tag) != sizeof tag) die("write");
}

static void mixed_turn(void) {
  if (side == 0)
    take_sem_sliced(0);
  else
    bell_turn();
}
static void mixed_pass(void) {
  if (side == 0)
    bell_pass();
  else
    give_sem(0);
}

struct game {
  const char* name;
  void (*start)(void), (*turn)(void), (*pass)(void);
  void (*take)(int), (*give)(int);
  unsigned sem_value;
};

static const struct game games[] = {
    {"lock", ring_start, ring_turn, ring_pass, take_sem, give_sem, 1},
    {"mutex", ring_start, ring_turn, ring_pass, take_mutex, give_mutex, 0},
    {"semaphore", pair_start, pair_turn, pair_pass, take_sem, give_sem, 0},
    {"lock-sliced", ring_start, ring_turn, ring_pass, take_sem_sliced, give_sem, 1},
    {"mutex-sliced", ring_start, ring_turn, ring_pass, take_mutex_sliced, give_mutex, 0},
    {"semaphore-sliced", pair_start, pair_turn, pair_pass, take_sem_sliced, give_sem, 0},
    {"bell", bell_start, bell_turn, bell_pass, NULL, NULL, 0},
    {"mixed", bell_start, mixed_turn, mixed_pass, NULL, NULL, 0},
};

static const struct game* game_named(const char* name) {
  for (size_t i = 0; i < sizeof games / sizeof *games; i++) {
    if (strcmp(games[i].name, name) == 0) return &games[i];
  }
  fprintf(stderr, "games: [lock|mutex|semaphore][-sliced], bell, mixed\n");
  exit(2);
}

static void init_shared(unsigned sem_value) {
  shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (shared == MAP_FAILED) die("mmap");
  if (sem_init(&shared->ready, 1, 0) != 0) die("sem_init");
  for (int i = 0; i < 3; i++) {
    if (sem_init(&shared->sems[i], 1, sem_value) != 0) die("sem_init");
    init_mutex(&shared->mutexes[i]);
  }
}

static void pin_as_told(void) {
  const char* cpu = getenv("HOLDFAST_BENCH_PEER_CPU");
  if (cpu == NULL || *cpu == '\0') return;
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(atoi(cpu), &set);
  if (sched_setaffinity(0, sizeof set, &set) != 0) die("sched_setaffinity");
}

static void second(long turns, const long* stamped) {
  for (long i = 0; i < turns; i++) {
    turn();
    pass();
  }
  for (int part = 0; part < PARTS; part++) {
    for (long i = 0; i < stamped[part]; i++) {
      turn();
      shared->got[part][1][i] = now_ns();
      dwell(part);
      shared->passed[part][1][i] = now_ns();
      pass();
    }
  }
}

static double exchange(long turns) {
  int64_t start = now_ns();
  for (long i = 0; i < turns; i++) {
    pass();
    turn();
  }
  return (double)(now_ns() - start) / (2 * turns);
}

static void first(long warm_up, long turns, const long* stamped) {
  exchange(warm_up);
  printf("{\"pingPong\":[");
  for (int batch = 0; batch < BATCHES; batch++) {
    printf("%s%.1f", batch ? "," : "", exchange(turns));
  }
  printf("]");
  for (int part = 0; part < PARTS; part++) {
    for (long i = 0; i < stamped[part]; i++) {
      dwell(part);
      shared->passed[part][0][i] = now_ns();
      pass();
      turn();
      shared->got[part][0][i] = now_ns();
    }
  }
}

static void print_part(const char* name, int part, long n) {
  printf(",\"%s\":[", name);
  for (long i = 0; i < n; i++) {
    printf("%s%lld,%lld", i ? "," : "",
           (long long)(shared->got[part][1][i] - shared->passed[part][0][i]),
           (long long)(shared->got[part][0][i] - shared->passed[part][1][i]));
  }
  printf("]");
}

static long stamps(const char* text) {
  long n = atol(text);
  return n < STAMPS_MAX ? n : STAMPS_MAX;
}

int main(int argc, char** argv) {
  if (argc != 6) {
    fprintf(stderr, "usage: %s game warm-up turns single asleep\n", argv[0]);
    return 2;
  }
  const struct game* game = game_named(argv[1]);
  long warm_up = atol(argv[2]);
  long turns = atol(argv[3]);
  long stamped[PARTS] = {[SINGLE] = stamps(argv[4]), [ASLEEP] = stamps(argv[5])};
  init_shared(game->sem_value);
  if (pipe(bells[0]) != 0 || pipe(bells[1]) != 0) die("pipe");
  take = game->take;
  give = game->give;
  turn = game->turn;
  pass = game->pass;

  /* Before the fork: the second side must find the first's two locks taken. */
  game->start();
  pid_t child = fork();
  if (child < 0) die("fork");
  if (child == 0) {
    pin_as_told();
    side = 1;
    game->start();
    sem_post(&shared->ready);
    second(warm_up + BATCHES * turns, stamped);
    _exit(0);
  }
  wait_sem(&shared->ready);
  first(warm_up, turns, stamped);

  int status;
  waitpid(child, &status, 0);
  if (status != 0) die("second");
  print_part("single", SINGLE, stamped[SINGLE]);
  print_part("asleep", ASLEEP, stamped[ASLEEP]);
  printf("}\n");
  return 0;
}
