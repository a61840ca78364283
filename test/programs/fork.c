// What a foreign add-on may do: it forks without exec, as soon as it is loaded. $FORK says what the
// child does, $FORKED which process it is.
// The child runs C only, because V8 keeps its heap from children.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

__attribute__((constructor)) static void fork_at_once(void) {
  const char* how = getenv("FORK");
  const pid_t child = fork();
  if (child > 0) {
    char number[16];
    snprintf(number, sizeof number, "%d", (int)child);
    setenv("FORKED", number, 1);
    if (strcmp(how, "sleep") != 0) waitpid(child, NULL, 0);
  } else if (strcmp(how, "sleep") == 0) {
    for (int fd = 0; fd < 3; fd++) close(fd);
    alarm(60);  // whatever becomes of the test
    for (;;) pause();
  } else {
    exit(0);  // with all that is to be done at the end of a process
  }
}
