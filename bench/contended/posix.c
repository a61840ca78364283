/*
 * The floor of `contended`: the games of contend.mjs in C, on a semaphore, or on a robust recursive
 * mutex. The players are forked, and told of a game through a pipe each.
 */

#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../posix.h"

enum { PLAYERS = 16, HEADSTART_NS = 20000000, WORK_NS = 10000 };

struct game {
  int64_t from, to, section_ns; /* to == 0: no more games */
};
struct share {
  int64_t count, longest, last;
};

static struct {
  sem_t sem, played;
  pthread_mutex_t mutex;
  volatile int64_t word;
  struct share shares[PLAYERS];
} * shared;

static void take_sem(void) { wait_sem(&shared->sem); }
static void give_sem(void) { sem_post(&shared->sem); }
static void take_mutex(void) {
  if ((errno = pthread_mutex_lock(&shared->mutex)) != 0) die("pthread_mutex_lock");
}
static void give_mutex(void) { pthread_mutex_unlock(&shared->mutex); }

static void (*take)(void) = take_sem;
static void (*give)(void) = give_sem;

static void contend(int pipe_end, struct share* share) {
  struct game game;
  while (read(pipe_end, &game, sizeof game) == sizeof game && game.to != 0) {
    int64_t ahead = game.from - now_ns();
    if (ahead > 0) nanosleep(&(struct timespec){.tv_nsec = ahead}, NULL);
    int64_t now;
    *share = (struct share){.last = game.from};
    do {
      take();
      now = now_ns();
      shared->word++;
      if (game.section_ns > 0) {
        while (now_ns() < now + game.section_ns) {
        }
      }
      give();
      share->count++;
      if (now - share->last > share->longest) share->longest = now - share->last;
      share->last = now;
    } while (now < game.to);
    sem_post(&shared->played);
  }
  _exit(0);
}

static void init_shared(void) {
  shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (shared == MAP_FAILED) die("mmap");
  if (sem_init(&shared->sem, 1, 1) != 0 || sem_init(&shared->played, 1, 0) != 0) die("sem_init");
  init_mutex(&shared->mutex);
}

static const char* separator = "{";

static void print(const char* section, int players, int64_t from) {
  double total = 0, squares = 0;
  int64_t longest = 0, last = 0;
  for (int i = 0; i < players; i++) {
    struct share share = shared->shares[i];
    total += share.count;
    squares += (double)share.count * share.count;
    if (share.longest > longest) longest = share.longest;
    if (share.last > last) last = share.last;
  }
  printf("%s\"%s-%d\":[%.1f]", separator, section, players, (last - from) / total);
  printf(",\"%s-%d-jain\":[%.4f]", section, players, total * total / (players * squares));
  printf(",\"%s-%d-longest\":[%lld]", section, players, (long long)longest);
  separator = ",";
}

int main(int argc, char** argv) {
  if (argc != 3) {
    fprintf(stderr, "usage: %s sem|mutex ms\n", argv[0]);
    return 2;
  }
  if (strcmp(argv[1], "mutex") == 0) {
    take = take_mutex;
    give = give_mutex;
  }
  int64_t game_ns = atol(argv[2]) * 1000000;
  init_shared();
  int pipes[PLAYERS][2];
  for (int i = 0; i < PLAYERS; i++) {
    if (pipe(pipes[i]) != 0) die("pipe");
    pid_t child = fork();
    if (child < 0) die("fork");
    if (child == 0) contend(pipes[i][0], &shared->shares[i]);
  }

  for (int work = 0; work < 2; work++) {
    for (int players = 2; players <= PLAYERS; players *= 2) {
      int64_t before = shared->word, from = now_ns() + HEADSTART_NS, total = 0;
      struct game game = {.from = from, .to = from + game_ns, .section_ns = work * WORK_NS};
      for (int i = 0; i < players; i++) {
        if (write(pipes[i][1], &game, sizeof game) != sizeof game) die("write");
      }
      for (int i = 0; i < players; i++) wait_sem(&shared->played);
      for (int i = 0; i < players; i++) total += shared->shares[i].count;
      if (shared->word - before != total) {
        fprintf(stderr, "error: two players were in a section at once\n");
        return 1;
      }
      print(work ? "work" : "empty", players, from);
    }
  }
  printf("}\n");

  struct game over = {0};
  for (int i = 0; i < PLAYERS; i++) {
    if (write(pipes[i][1], &over, sizeof over) != sizeof over) die("write");
  }
  while (wait(NULL) > 0) {
  }
  return 0;
}
