// What Lock and RLock have in common for the store.
#ifndef HOLDFAST_CORE_PRIMITIVES_OWNED_H
#define HOLDFAST_CORE_PRIMITIVES_OWNED_H

#include "core/store/kind_ops.h"

namespace holdfast::core {

// KindOps::owner_words: `owner` still names the holder that died.
inline OwnerWords owner_words(uint32_t, uint32_t) {
  return {sizeof(Header) + offsetof(OwnedBody, owner), sizeof(uint64_t), 1};
}

}  // namespace holdfast::core

#endif
