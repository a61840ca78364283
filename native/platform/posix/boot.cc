#include "platform/platform.h"

namespace holdfast::platform {

Boot current_boot() { return {}; }

}  // namespace holdfast::platform
