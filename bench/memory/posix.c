/*
 * The floor of `memory`: named semaphores, opened and nothing else. memory/objects.mjs says what is
 * measured. The names are gone at once, as CPython's are.
 */

#include <dirent.h>
#include <fcntl.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "../posix.h"

struct weight {
  double resident, shared, descriptors;
};

static struct weight weigh(void) {
  struct weight weight = {0};
  long pages = 0;
  FILE* statm = fopen("/proc/self/statm", "r");
  if (statm != NULL && fscanf(statm, "%*d %ld", &pages) == 1) {
    weight.resident = (double)pages * sysconf(_SC_PAGESIZE);
  }
  if (statm != NULL) fclose(statm);
  struct statvfs system;
  if (statvfs("/dev/shm", &system) == 0) {
    weight.shared = (double)(system.f_blocks - system.f_bfree) * system.f_frsize;
  }
  DIR* open = opendir("/proc/self/fd");
  while (open != NULL && readdir(open) != NULL) weight.descriptors++;
  if (open != NULL) closedir(open);
  return weight;
}

static double each(double after, double before, long n) {
  return after > before ? (after - before) / n : 0;
}

int main(int argc, char** argv) {
  for (int i = 1; i < argc; i++) {
    long n = atol(argv[i]);
    struct weight before = weigh();
    int64_t start = now_ns();
    for (long j = 0; j < n; j++) {
      char name[64];
      snprintf(name, sizeof name, "/hf-bench-%ld-%ld", (long)getpid(), j);
      if (sem_open(name, O_CREAT | O_EXCL, 0600, 1) == SEM_FAILED) {
        perror("sem_open");
        return 1;
      }
      sem_unlink(name);
    }
    double open_ns = (double)(now_ns() - start) / n;
    struct weight after = weigh();
    printf("%s\"open-%ld\":[%.1f]", i > 1 ? "," : "{", n, open_ns);
    printf(",\"resident-%ld\":[%.1f]", n, each(after.resident, before.resident, n));
    printf(",\"shared-%ld\":[%.1f]", n, each(after.shared, before.shared, n));
    printf(",\"descriptors-%ld\":[%.3f]", n, each(after.descriptors, before.descriptors, n));
  }
  printf("}\n");
  return 0;
}
