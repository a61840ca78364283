#include <sys/random.h>
#include <unistd.h>

#include <cstdlib>

#include "platform/platform.h"

namespace holdfast::platform {

void random_bytes(void* into, size_t length) {
  if (getentropy(into, length) != 0) abort();  // only for an impossible length
}

}  // namespace holdfast::platform
