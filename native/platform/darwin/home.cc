#include <unistd.h>

#include "platform/platform.h"

namespace holdfast::platform {

// The user's own directory that the system makes on demand, for daemons and for root as well, that
// no cleaner empties and no backup copies. `~/Library` is missing where a user has no home.
std::string default_directory() {
  char directory[1024];
  const size_t length = confstr(_CS_DARWIN_USER_DIR, directory, sizeof directory);
  if (length == 0 || length > sizeof directory) return "";
  return std::string(directory) + "holdfast";  // it ends with a slash
}

}  // namespace holdfast::platform
