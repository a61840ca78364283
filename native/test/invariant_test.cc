// The checks of invariants: a broken one ends the process, and its last words name it.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/invariant.h"
#include "framework.h"

namespace holdfast::test {

namespace {

// How a process ended, and what it wrote to stderr.
struct End {
  int status = 0;
  std::string words;
};

End end_of(void (*body)()) {
  int ends[2];
  CHECK(pipe(ends) == 0);
  const pid_t pid = fork();
  CHECK(pid >= 0);
  if (pid == 0) {
    dup2(ends[1], STDERR_FILENO);
    body();
    _exit(0);
  }
  close(ends[1]);
  End end;
  char text[256];
  for (ssize_t got; (got = read(ends[0], text, sizeof text)) > 0;) {
    end.words.append(text, static_cast<size_t>(got));
  }
  close(ends[0]);
  CHECK(waitpid(pid, &end.status, 0) == pid);
  return end;
}

}  // namespace

TEST(a_broken_one_ends_the_process_and_is_named) {
  const End end = end_of([] {
    const int live_owners = 2;
    HOLDFAST_INVARIANT(INV_1, live_owners <= 1);
  });
  CHECK(WIFSIGNALED(end.status) && WTERMSIG(end.status) == SIGABRT);
  CHECK(end.words.find("INV-1 is broken at ") == 0);
  CHECK(end.words.find("live_owners <= 1") != std::string::npos);
}

TEST(one_that_holds_is_silent) {
  const End end = end_of([] { HOLDFAST_INVARIANT(INV_1, true); });
  CHECK_EQUAL(end.status, 0);
  CHECK_EQUAL(end.words, "");
}

}  // namespace holdfast::test
