#include <pwd.h>
#include <unistd.h>

#include "platform/platform.h"

namespace holdfast::platform {

// Not the temporary directory: its cleaner would take files away that are in use.
std::string default_directory() {
  passwd entry;
  passwd* found = nullptr;
  char buffer[4096];
  if (getpwuid_r(geteuid(), &entry, buffer, sizeof buffer, &found) != 0 || found == nullptr)
    return "";
  return std::string(found->pw_dir) + "/.holdfast";
}

}  // namespace holdfast::platform
