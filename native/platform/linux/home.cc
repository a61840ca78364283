#include <unistd.h>

#include "platform/platform.h"

namespace holdfast::platform {

std::string default_directory() { return "/dev/shm/holdfast-" + std::to_string(geteuid()); }

}  // namespace holdfast::platform
