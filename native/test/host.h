// What only some hosts have, for tests that are skipped on the others. host.cc holds the only
// #ifdef of the tests.
#ifndef HOLDFAST_TEST_HOST_H
#define HOLDFAST_TEST_HOST_H

#include <sys/types.h>

#include <cstddef>

namespace holdfast::test::host {

// Is the processor emulated, and so ten times slower?
bool is_emulated();
// From here on the kernel kills this process when its parent dies, even if it is stopped.
void die_with_parent();
// Processes whose parent died become children of this one, so that it can wait for their end. False
// where no process can be given them: they become children of init.
bool adopt_orphans();
// Starts a process that has this one's memory, and none of its descriptors: it keeps the memory
// when this one is killed, as a reader of its entry in /proc does for a moment. -1 where there is
// none.
pid_t keep_memory();

// These say 0, or the errno of what the host refused.

// The next child is pid 1 of a new pid namespace.
int enter_new_pid_namespace();
// Mounts an empty tmpfs, seen by this process and its children alone, and gone with them.
int mount_private_tmpfs(const char* path, size_t bytes);

}  // namespace holdfast::test::host

#endif
