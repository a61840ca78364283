/*
 * The floor of `open`: a semaphore that is made and removed, and all the calls with which holdfast
 * makes and removes a Lock, in their order and with nothing between them. The semaphore of a Lock
 * is one of them.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../posix.h"

enum { FILE_BYTES = 4096 };

static char sem_name[64];
static char sem_path[PATH_MAX];
static char directory[PATH_MAX];
static int directory_fd;

static void check(int result, const char* what) {
  if (result < 0) die(what);
}

static sem_t* make_semaphore(void) {
  sem_t* const sem = sem_open(sem_name, O_CREAT | O_EXCL, 0600, 1);
  if (sem == SEM_FAILED) die("sem_open");
  return sem;
}

static void semaphores(long n) {
  for (long i = 0; i < n; i++) {
    sem_t* const sem = make_semaphore();
    check(sem_unlink(sem_name), "sem_unlink");
    check(sem_close(sem), "sem_close");
  }
}

/* Whoever makes or removes a file has the directory's lock, and it is the one that has the path. */
static void lock_directory(void) {
  struct stat st;
  check(flock(directory_fd, LOCK_EX | LOCK_NB), "flock");
  check(stat(directory, &st), "stat");
  check(fstatat(directory_fd, "registry", &st, AT_SYMLINK_NOFOLLOW), "fstatat");
}

static void unlock_directory(void) { check(flock(directory_fd, LOCK_UN), "flock"); }

static void lock_once(void) {
  struct stat st;
  lock_directory();
  if (openat(directory_fd, "object", O_RDWR | O_NOFOLLOW | O_CLOEXEC) >= 0) die("object");
  if (fstatat(directory_fd, "spare", &st, AT_SYMLINK_NOFOLLOW) == 0) die("spare");
  const int fd = openat(directory_fd, "object", O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  check(fd, "openat");
  check(fstat(fd, &st), "fstat");
  check(flock(fd, LOCK_SH | LOCK_NB), "flock");
  check(posix_fallocate(fd, 0, FILE_BYTES), "posix_fallocate");
  /* A mapping has an open file description of its own. */
  char path[64];
  snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  const int again = open(path, O_RDWR | O_CLOEXEC);
  check(again, "open");
  check(fstat(fd, &st), "fstat");
  check(fstat(again, &st), "fstat");
  char* const bytes = mmap(NULL, FILE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, again, 0);
  if (bytes == MAP_FAILED) die("mmap");
  check(close(again), "close");
  memset(bytes, 1, 512); /* the header */
  sem_t* const sem = make_semaphore();
  check(chmod(sem_path, 0600), "chmod");
  check(fstatat(AT_FDCWD, sem_path, &st, AT_SYMLINK_NOFOLLOW), "fstatat");
  check(linkat(directory_fd, "object", directory_fd, "spare", 0), "linkat");
  unlock_directory();

  check(flock(directory_fd, LOCK_EX | LOCK_NB), "flock");
  check(fstatat(directory_fd, "object", &st, AT_SYMLINK_NOFOLLOW), "fstatat");
  check(flock(fd, LOCK_EX | LOCK_NB), "flock");
  check(sem_unlink(sem_name), "sem_unlink");
  check(unlinkat(directory_fd, "spare", 0), "unlinkat");
  check(unlinkat(directory_fd, "object", 0), "unlinkat");
  check(sem_close(sem), "sem_close");
  check(munmap(bytes, FILE_BYTES), "munmap");
  check(flock(fd, LOCK_UN), "flock");
  check(close(fd), "close");
  unlock_directory();
}

static void locks(long n) {
  for (long i = 0; i < n; i++) lock_once();
}

static void make_directory(void) {
  snprintf(directory, sizeof directory, "/dev/shm/hf-bench-%ld", (long)getpid());
  check(mkdir(directory, 0700), "mkdir");
  directory_fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  check(directory_fd, "open");
  check(close(openat(directory_fd, "registry", O_CREAT | O_RDWR | O_CLOEXEC, 0600)), "registry");
}

static void remove_directory(void) {
  check(unlinkat(directory_fd, "registry", 0), "unlinkat");
  check(rmdir(directory), "rmdir");
}

int main(int argc, char** argv) {
  const int is_lock = argc > 1 && strcmp(argv[1], "lock") == 0;
  if (!is_lock && (argc < 2 || strcmp(argv[1], "sem") != 0)) {
    fprintf(stderr, "variants: sem, lock\n");
    return 2;
  }
  snprintf(sem_name, sizeof sem_name, "/hf-bench-%ld", (long)getpid());
  snprintf(sem_path, sizeof sem_path, "/dev/shm/sem.%s", sem_name + 1);
  make_directory();
  void (*const body)(long) = is_lock ? locks : semaphores;
  report_pairs(body);
  remove_directory();
  return 0;
}
