#include "platform/parent.h"

namespace holdfast::platform {

void wait_for_parent_end(uint32_t pid) { poll_for_parent(pid); }

}  // namespace holdfast::platform
