#include "platform/posix/at_fork.h"

#include <pthread.h>

namespace holdfast::platform {

// Where a C library is asked for this by an add-on, it forgets the handler with the add-on.
int call_in_forked_child(void (*handler)()) { return pthread_atfork(nullptr, nullptr, handler); }

}  // namespace holdfast::platform
