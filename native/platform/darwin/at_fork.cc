#include "platform/posix/at_fork.h"

#include <dlfcn.h>
#include <pthread.h>

namespace holdfast::platform {

// A handler is never forgotten, and Node may unload the add-on that it is in. So that stays loaded.
int call_in_forked_child(void (*handler)()) {
  Dl_info image;
  if (dladdr(reinterpret_cast<const void*>(handler), &image) != 0 && image.dli_fname != nullptr) {
    dlopen(image.dli_fname, RTLD_LAZY | RTLD_NOLOAD | RTLD_NODELETE);
  }
  return pthread_atfork(nullptr, nullptr, handler);
}

}  // namespace holdfast::platform
