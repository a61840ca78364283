#include "platform/heap.h"

namespace holdfast::platform {

void foresee_large_block(size_t /*bytes*/) {}

}  // namespace holdfast::platform
